"""A function that calls libraries as its event says: each call once, whatever comes of it."""

import os

URL = os.environ["SERVICES_URL"]
TOPIC = "arn:aws:sns:eu-west-1:123456789012:orders"
MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:orders"
SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:key-a1b2c3"
QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/orders"
KEY = {"order_id": {"S": "7"}}
SCHEMA = [{"AttributeName": "order_id", "KeyType": "HASH"}]
TYPES = [{"AttributeName": "order_id", "AttributeType": "S"}]


def handler(event, context):
    return [attempt(call) for call in globals()[event["do"]]()]


def attempt(call):
    try:
        call()
    except Exception as error:  # noqa: BLE001 - whatever a library raises
        return type(error).__name__
    return None


def client(service, **options):
    import boto3
    from botocore.config import Config

    config = Config(retries={"max_attempts": 1}, connect_timeout=2, read_timeout=5)
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
    url = options.pop("url", URL)
    return boto3.client(service, endpoint_url=url, config=config, region_name="eu-west-1", **keys)


def dynamodb():
    table = client("dynamodb")
    unreachable = client("dynamodb", url="http://127.0.0.1:9")
    index = {"IndexName": "i", "KeySchema": SCHEMA, "Projection": {"ProjectionType": "ALL"}}
    write = {"orders": [{"PutRequest": {"Item": KEY}}]}
    return [
        lambda: table.get_item(
            TableName="orders", Key=KEY, ConsistentRead=True, ProjectionExpression="a, b"
        ),
        lambda: table.get_item(TableName="missing", Key=KEY),
        lambda: table.get_item(TableName=7),
        lambda: unreachable.get_item(TableName="orders", Key=KEY),
        lambda: table.put_item(TableName="orders", Item=KEY, ReturnConsumedCapacity="TOTAL"),
        lambda: table.delete_item(TableName="orders", Key=KEY),
        lambda: table.update_item(TableName="orders", Key=KEY),
        lambda: table.batch_get_item(RequestItems={"orders": {"Keys": [KEY]}, "others": {}}),
        lambda: table.batch_get_item(RequestItems={"orders": {"Keys": [KEY]}}),
        lambda: table.batch_write_item(RequestItems=write),
        lambda: table.query(
            TableName="orders",
            IndexName="i",
            Limit=5,
            ScanIndexForward=False,
            Select="ALL_ATTRIBUTES",
            KeyConditionExpression="order_id = :o",
        ),
        lambda: table.query(TableName="orders", AttributesToGet=["a"]),
        lambda: table.scan(TableName="orders", Segment=0, TotalSegments=2),
        lambda: table.list_tables(ExclusiveStartTableName="a", Limit=3),
        lambda: table.create_table(
            TableName="orders",
            KeySchema=SCHEMA,
            AttributeDefinitions=TYPES,
            GlobalSecondaryIndexes=[index],
            LocalSecondaryIndexes=[index],
            ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 6},
        ),
        lambda: table.update_table(
            TableName="orders",
            AttributeDefinitions=TYPES,
            GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "i"}}],
        ),
        lambda: table.describe_table(TableName="orders"),
        lambda: table.delete_table(TableName="orders"),
        table.describe_limits,
    ]


def aws():
    sqs, sns, functions = client("sqs"), client("sns"), client("lambda")
    secrets, states, s3, sts = (
        client("secretsmanager"),
        client("stepfunctions"),
        client("s3"),
        client("sts"),
    )
    text = {"DataType": "String", "StringValue": "v"}
    full = {f"a{number}": text for number in range(9)}
    entries = [{"Id": "1", "Message": "m"}, {"Id": "2", "Message": "m", "MessageAttributes": full}]
    return [
        lambda: sqs.send_message(QueueUrl=QUEUE, MessageBody="hello"),
        lambda: sqs.receive_message(QueueUrl=QUEUE),
        sqs.list_queues,
        lambda: sns.publish(TopicArn=TOPIC, Message="m"),
        lambda: sns.publish(TopicArn=TOPIC, Message="m", MessageAttributes={"a": text}),
        lambda: sns.publish(PhoneNumber="+15550100", Message="m"),
        lambda: sns.publish_batch(TopicArn=TOPIC, PublishBatchRequestEntries=entries),
        lambda: sns.create_topic(Name="made"),
        lambda: functions.invoke(FunctionName="other", Payload='{"a": 1}'),
        lambda: functions.invoke(
            FunctionName="arn:aws:lambda:eu-west-1:123456789012:function:other:live"
        ),
        lambda: functions.invoke(FunctionName="other", Payload="not json"),
        functions.list_functions,
        lambda: secrets.get_secret_value(SecretId=SECRET),
        lambda: secrets.get_secret_value(SecretId="key"),
        lambda: states.start_execution(stateMachineArn=MACHINE, input="{}"),
        lambda: s3.put_object(Bucket="b", Key="k", Body=b"x"),
        lambda: s3.head_object(Bucket="b", Key="unchanged"),
        sts.get_caller_identity,
    ]


def http_requests():
    import requests

    session = requests.Session()
    with_key = {"X-Key": "secret", "X-Other": "shown", "User-Agent": "Googlebot/2.1"}
    return [
        lambda: requests.get(f"{URL}/web/200?a=b", timeout=5),
        lambda: session.post(f"{URL}/web/404", json={}, timeout=5),
        lambda: session.get(f"{URL}/web/500", headers=with_key, timeout=5),
        lambda: session.get(f"{URL}/web/302", timeout=5),
        lambda: session.request("BREW", f"{URL}/web/204", timeout=5),
        lambda: session.get(f"{URL.replace('//', '//user:word@')}/web/200?sig=abc&b=c", timeout=5),
        lambda: session.get("http://127.0.0.1:9/", timeout=5),
        lambda: session.get(f"{URL}/web/200?excluded", timeout=5),
        lambda: session.get("nowhere:/", timeout=5),
    ]


def http_urllib3():
    import urllib3

    pool = urllib3.PoolManager(retries=False)
    host, port = URL.rpartition("/")[2].split(":")
    direct = urllib3.HTTPConnectionPool(host, int(port))
    return [
        lambda: pool.request("GET", f"{URL}/web/200?a=b", headers={"X-Key": "secret"}),
        lambda: pool.request("post", f"{URL}/web/503", body=b"x"),
        lambda: pool.request("GET", "http://127.0.0.1:9/"),
        lambda: pool.request("GET", f"{URL}/web/302", retries=2),
        lambda: pool.request("BREW", f"{URL}/web/204"),
        lambda: pool.request("GET", f"{URL}/web/200?excluded"),
        lambda: direct.urlopen("GET", "/web/200", None, {"X-Other": "shown"}),
        lambda: direct.urlopen("GET"),
    ]
