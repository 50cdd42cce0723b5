"""Records and messages: queues, topics, streams, brokers, buckets and tables.

Attributes as in the semantic conventions: docs/messaging/messaging-spans.md, "SQS" in
docs/faas/aws-lambda.md, "Datasource" in docs/faas/faas-spans.md; AWS's own as in
docs/registry/attributes/aws.md.
``messaging.system`` has no well-known value for Kinesis; its name is formed as SNS's is. The events
as in https://docs.aws.amazon.com/lambda/latest/dg/lambda-services.html, a page for each service.
"""

import json
import time

from ._trigger import (
    MAX_RECORDS,
    MAX_TEXT,
    Trigger,
    carried_link,
    distinct_links,
    messaging_attributes,
    text,
    w3c_link,
    x_ray_link,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Optional

    from ._trigger import Link

    Records = list[dict[str, Any]]

# SNS puts the attributes behind the message. Their end is what is searched of a body, however long.
_MAX_ENVELOPE_TAIL = 65536
# Of all records of a stream together, in characters of base64: three searches of it take 0.8 ms.
_MAX_SEARCHED = 1048576
# "traceparent" in base64: its whole groups of three bytes, by its place in the first of them.
_ENCODED_TRACEPARENTS = ("dHJhY2VwYXJl", "YWNlcGFyZW50", "cmFjZXBhcmVu")
# From the name on, the value, and a tracestate of the 512 characters that have to be kept.
_CONTEXT_WINDOW = 1024

_CONTEXT_FIELDS = ("traceparent", "tracestate")

_S3_OPERATIONS = {
    "ObjectCreated": "insert",
    "ObjectRemoved": "delete",
    "LifecycleExpiration": "delete",
    "ObjectTagging": "edit",
    "ObjectAcl": "edit",
}
_DYNAMODB_OPERATIONS = {"INSERT": "insert", "MODIFY": "edit", "REMOVE": "delete"}


def records_trigger(records: "Any") -> "Optional[Trigger]":
    """The trigger of a list of records, None when they are of no known service."""
    if not isinstance(records, list) or not records or not isinstance(records[0], dict):
        return None
    source = records[0].get("eventSource") or records[0].get("EventSource")
    reader = _BY_SOURCE.get(source) if isinstance(source, str) else None
    if reader is None:
        return None
    first = [record for record in records[:MAX_RECORDS] if isinstance(record, dict)]
    return reader(first, len(records))


def _sqs(records: "Records", count: int) -> Trigger:
    queue = _common([_arn_name(record.get("eventSourceARN"), ":") for record in records])
    attributes = messaging_attributes("aws_sqs", queue)
    attributes.update(_batch(count, records[0].get("messageId")))
    return Trigger("pubsub", "sqs", attributes, links=distinct_links(records, _sqs_link))


def _sqs_link(record: "dict[str, Any]") -> "Optional[Link]":
    # What instrumented senders put there comes first: it names their span. The system attribute,
    # which X-Ray fills on the way, names a span that only X-Ray may have.
    link = _attribute_link(record.get("messageAttributes"), "stringValue")
    link = link or _envelope_link(record.get("body"))
    system = record.get("attributes")
    if link is None and isinstance(system, dict):
        return x_ray_link(system.get("AWSTraceHeader"))
    return link


def _envelope_link(body: "Any") -> "Optional[Link]":
    """The link of a message that SNS put into the queue, without reading the message itself."""
    if not isinstance(body, str) or not body.startswith("{"):
        return None
    head = body[:512]
    if '"Notification"' not in head or '"TopicArn"' not in head:
        return None
    # Within the message, itself a string, every quote has a backslash: this name is the envelope's.
    name = '"MessageAttributes"'
    start = body.rfind(name, max(0, len(body) - _MAX_ENVELOPE_TAIL))
    start = body.find("{", start + len(name)) if start >= 0 else -1
    if start < 0:
        return None
    try:
        attributes, _ = json.JSONDecoder().raw_decode(body, start)
    except (ValueError, RecursionError):  # cut, or from somebody who only looks like SNS
        return None
    return _attribute_link(attributes, "Value")


def _attribute_link(attributes: "Any", key: str) -> "Optional[Link]":
    if not isinstance(attributes, dict) or "traceparent" not in attributes:
        return None
    values = []
    for name in _CONTEXT_FIELDS:
        attribute = attributes.get(name)
        values.append(attribute.get(key) if isinstance(attribute, dict) else None)
    return w3c_link(values[0], values[1])


def _sns(records: "Records", count: int) -> Trigger:
    messages = [record["Sns"] for record in records if isinstance(record.get("Sns"), dict)]
    topic = _common([text(message.get("TopicArn")) for message in messages])
    attributes = messaging_attributes("aws.sns", _arn_name(topic, ":"))
    attributes.update(_batch(count, messages[0].get("MessageId") if messages else None))
    attributes["aws.sns.topic.arn"] = topic
    links = distinct_links(messages, _sns_link)
    return Trigger("pubsub", "sns", attributes, links=links)


def _sns_link(message: "dict[str, Any]") -> "Optional[Link]":
    return _attribute_link(message.get("MessageAttributes"), "Value")


def _kinesis(records: "Records", count: int) -> Trigger:
    stream = _common([_arn_name(record.get("eventSourceARN"), "/") for record in records])
    attributes = messaging_attributes("aws.kinesis", stream)
    attributes.update(_batch(count, records[0].get("eventID")))
    shards = [text(record.get("eventID")).rpartition(":")[0] for record in records]
    attributes["messaging.destination.partition.id"] = _common(shards)
    attributes["aws.kinesis.stream_name"] = stream
    return Trigger(
        "pubsub", "kinesis", attributes, links=distinct_links(_searchable(records), _data_link)
    )


def _searchable(records: "Records") -> "Iterator[str]":
    budget = _MAX_SEARCHED
    for record in records:
        # A pipe flattens its records.
        kinesis = record.get("kinesis")
        data = (kinesis if isinstance(kinesis, dict) else record).get("data")
        if isinstance(data, str) and len(data) <= budget:
            budget -= len(data)
            yield data


def _data_link(data: str) -> "Optional[Link]":
    """The link to the context in a JSON document in base64, found without decoding the document."""
    for encoded in _ENCODED_TRACEPARENTS:
        start = data.find(encoded)
        if start >= 0 and start % 4 == 0:
            return _window_link(data[max(0, start - 4) : start + _CONTEXT_WINDOW])
    return None


def _window_link(window: str) -> "Optional[Link]":
    from binascii import a2b_base64

    document = a2b_base64(window[: len(window) // 4 * 4]).decode("utf-8", "replace")
    return w3c_link(_member(document, 'traceparent"'), _member(document, 'tracestate"'))


def _member(document: str, name: str) -> str:
    value = document.partition(name)[2].lstrip().lstrip(":").lstrip()
    value, quote, _ = value[1:].partition('"') if value.startswith('"') else ("", "", "")
    return value if quote else ""


def _s3(records: "Records", count: int) -> Trigger:
    entities = [record["s3"] for record in records if isinstance(record.get("s3"), dict)]
    bucket = _common([text(_field(entity, "bucket", "name")) for entity in entities])
    key = _unquoted(text(_field(entities[0], "object", "key"))) if count == 1 and entities else ""
    attributes = {
        "faas.document.collection": bucket,
        "faas.document.name": key,
        "faas.document.operation": _common([_s3_operation(record) for record in records]),
        "faas.document.time": text(records[0].get("eventTime")),
        "aws.s3.bucket": bucket,
        "aws.s3.key": key,
    }
    return Trigger("datasource", "s3", attributes)


def _s3_operation(record: "dict[str, Any]") -> str:
    # Where none of the well-known values applies, a custom one may be used: the event's own.
    name = text(record.get("eventName"))
    return _S3_OPERATIONS.get(name.partition(":")[0], name)


def _unquoted(key: str) -> str:
    """An object's key, which S3 encodes like a form's field."""
    parts = key.replace("+", " ").encode("utf-8", "replace").split(b"%")
    if b"" in parts[1:]:  # of nothing, fromhex makes nothing
        return key
    try:
        decoded = [bytes.fromhex(part[:2].decode()) + part[2:] for part in parts[1:]]
        return (parts[0] + b"".join(decoded)).decode()
    except ValueError:  # cut in the middle, or not from S3
        return key


def _dynamodb(records: "Records", count: int) -> Trigger:  # noqa: ARG001 - all readers take it
    table = _common([_table(record.get("eventSourceARN")) for record in records])
    attributes: dict[str, Any] = {
        # There is no database above the table.
        "faas.document.collection": table,
        "faas.document.name": table,
        "faas.document.operation": _common([_dynamodb_operation(record) for record in records]),
        "faas.document.time": _dynamodb_time(records[0].get("dynamodb")),
        "aws.dynamodb.table_names": [table] if table else None,
    }
    return Trigger("datasource", "dynamodb", attributes)


def _table(arn: "Any") -> str:
    # arn:aws:dynamodb:<region>:<account>:table/<name>/stream/<label>
    return text(arn).partition(":table/")[2].partition("/")[0]


def _dynamodb_operation(record: "dict[str, Any]") -> str:
    return _DYNAMODB_OPERATIONS.get(text(record.get("eventName")), "")


def _dynamodb_time(change: "Any") -> str:
    seconds = change.get("ApproximateCreationDateTime") if isinstance(change, dict) else None
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        return ""
    if not 0 <= seconds < 253402300800:  # the year 10000, beyond which no time is four digits
        return ""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


_BY_SOURCE: "dict[str, Callable[[Records, int], Trigger]]" = {
    "aws:sqs": _sqs,
    "aws:sns": _sns,
    "aws:kinesis": _kinesis,
    "aws:s3": _s3,
    "aws:dynamodb": _dynamodb,
}


def broker_trigger(event: "dict[str, Any]") -> "Optional[Trigger]":
    """The trigger of an event with one ``eventSource`` for all its messages, None when it is of no
    known service.
    """
    source = event["eventSource"]
    if source in ("aws:kafka", "SelfManagedKafka"):
        return _kafka(event.get("records"))
    if source == "aws:rmq":
        return _rabbitmq(event.get("rmqMessagesByQueue"))
    if source == "aws:mq":
        return _activemq(event.get("messages"))
    return None


def _kafka(partitions: "Any") -> Trigger:
    messages, count = _flattened(partitions)
    topic = _common([text(message.get("topic")) for message in messages])
    attributes = messaging_attributes("kafka", topic)
    attributes.update(_batch(count, None))
    if topic:  # a partition's number is unique within its topic
        numbers = [message.get("partition") for message in messages]
        if isinstance(numbers[0], int) and numbers.count(numbers[0]) == len(numbers):
            attributes["messaging.destination.partition.id"] = str(numbers[0])
    if count == 1 and messages and isinstance(messages[0].get("offset"), int):
        attributes["messaging.kafka.offset"] = messages[0]["offset"]
    links = distinct_links(messages, _kafka_link)
    return Trigger("pubsub", "kafka", attributes, links=links)


def _kafka_link(message: "dict[str, Any]") -> "Optional[Link]":
    # A list of objects with one name each, since a header may repeat.
    fields: dict[str, str] = {}
    headers = message.get("headers")
    for header in headers[:MAX_RECORDS] if isinstance(headers, list) else ():
        if isinstance(header, dict):
            for name in _CONTEXT_FIELDS:
                if name in header:
                    fields[name] = _decoded(header[name])
    return carried_link(fields)


def _rabbitmq(queues: "Any") -> Trigger:
    messages, count = _flattened(queues)
    # A name is that of the queue, two colons, and the virtual host.
    names = [text(name).partition("::")[0] for name in queues] if count else []
    attributes = messaging_attributes("rabbitmq", _common(names[:MAX_RECORDS]))
    properties = [message.get("basicProperties") for message in messages]
    attributes.update(_batch(count, _field(properties, 0, "messageId")))
    links = distinct_links(properties, _rabbitmq_link)
    return Trigger("pubsub", "rabbitmq", attributes, links=links)


def _rabbitmq_link(properties: "Any") -> "Optional[Link]":
    headers = _field(properties, "headers")
    fields = {name: _decoded(_field(headers, name, "bytes")) for name in _CONTEXT_FIELDS}
    return carried_link(fields) if fields["traceparent"] else None


def _activemq(messages: "Any") -> "Optional[Trigger]":
    if not isinstance(messages, list) or not messages:
        return None
    first = [message for message in messages[:MAX_RECORDS] if isinstance(message, dict)]
    queue = _common([text(_field(item, "destination", "physicalName")) for item in first])
    attributes = messaging_attributes("activemq", queue)
    attributes.update(_batch(len(messages), _field(first, 0, "messageID")))
    properties = [message.get("properties") for message in first]
    links = distinct_links(properties, carried_link)
    return Trigger("pubsub", "activemq", attributes, links=links)


def _flattened(batches: "Any") -> "tuple[Records, int]":
    """The first messages of all partitions or queues, and how many there are."""
    lists = [batch for batch in batches.values() if isinstance(batch, list)][:MAX_RECORDS]
    messages = [
        message for batch in lists for message in batch[:MAX_RECORDS] if isinstance(message, dict)
    ]
    return messages[:MAX_RECORDS], sum([len(batch) for batch in lists])


def _decoded(value: "Any") -> str:
    """A header's value, which comes as a list of bytes, signed as Java's are."""
    if not isinstance(value, list) or len(value) > MAX_TEXT:
        return ""
    return bytes([byte & 0xFF for byte in value]).decode("utf-8", "replace")


def _batch(count: int, message_id: "Any") -> "dict[str, Any]":
    # messaging.batch.message_count is for more than one message, the id for exactly one.
    if count == 1:
        return {"messaging.message.id": text(message_id)}
    return {"messaging.batch.message_count": count}


def _common(values: "list[str]") -> str:
    """The value that all share, else empty: a part's value is not said of the batch."""
    return values[0] if values and values.count(values[0]) == len(values) else ""


def _arn_name(arn: "Any", separator: str) -> str:
    return text(arn).rpartition(separator)[2]


def _field(value: "Any", *path: "Any") -> "Any":
    """What lies at the end of the path of names and indexes, None when the path ends before."""
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value
