"""A function that fails in a library."""

import os


def handler(event, context):
    globals()[event["do"]]()


def of_botocore():
    import boto3

    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
    url = os.environ["SERVICES_URL"]
    table = boto3.client("dynamodb", endpoint_url=url, region_name="eu-west-1", **keys)
    table.get_item(TableName="missing", Key={"order_id": {"S": "7"}})


def of_requests():
    import requests

    requests.get("http://127.0.0.1:9/", timeout=5)


def of_urllib3():
    import urllib3

    urllib3.PoolManager(retries=False).request("GET", "http://127.0.0.1:9/")
