"""What the spans of some of AWS's services say beyond those of the others.

The extensions of opentelemetry-instrumentation-botocore, without Bedrock's.
"""

from ..._report import report_once
from ..._span import KIND_CLIENT, KIND_PRODUCER
from ._propagation import field_count, inject

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional

    from ._library_span import LibrarySpan

# SNS allows ten attributes a message.
_MAX_MESSAGE_ATTRIBUTES = 10


class Endpoint:
    """Where a client's operations go, taken apart once."""

    __slots__ = ("attributes", "netloc")

    def __init__(self, url: str) -> None:
        from urllib.parse import urlsplit

        parts = urlsplit(url)
        self.netloc = parts.netloc
        self.attributes: dict[str, Any] = {}
        if parts.hostname:
            self.attributes["server.address"] = parts.hostname
            self.attributes["server.port"] = parts.port or 443


# By URL. A function talks to few; one that makes up endpoints must not fill the memory.
_endpoints: "dict[str, Endpoint]" = {}
_MAX_ENDPOINTS = 64


def _endpoint(url: str) -> Endpoint:
    found = _endpoints.get(url)
    if found is None:
        if len(_endpoints) >= _MAX_ENDPOINTS:
            _endpoints.clear()
        found = _endpoints[url] = Endpoint(url)
    return found


class Call:
    """One operation of a client, as it is about to be called."""

    __slots__ = (
        "endpoint",
        "kind",
        "operation",
        "params",
        "region",
        "service",
        "service_id",
        "span_name",
    )

    def __init__(self, client: "Any", operation: str, params: "dict[str, Any]") -> None:
        model = client.meta.service_model
        self.service = model.service_name.lower()
        self.service_id = str(getattr(model, "service_id", self.service))
        self.operation = operation
        self.params = params
        self.region = client.meta.region_name
        self.endpoint = _endpoint(client.meta.endpoint_url or "")
        self.span_name = f"{self.service_id}.{operation}"
        self.kind = KIND_CLIENT


class Service:
    """A service that says no more than its name."""

    __slots__ = ("_call",)

    def __init__(self, call: Call) -> None:
        self._call = call

    def describe(self, attributes: "dict[str, Any]") -> None:
        """Adds what is known before the span is made; may change the call's name and kind."""

    def before(self, span: "LibrarySpan") -> None:
        """Adds what is known before the operation is called; may change its parameters."""

    def succeeded(self, span: "LibrarySpan", result: "Any") -> None:
        """Adds what the result says."""


class DynamoDb(Service):
    """Tables, what was asked of them, and what it consumed."""

    __slots__ = ()

    def describe(self, attributes: "dict[str, Any]") -> None:
        attributes["db.system"] = "dynamodb"
        attributes["db.operation"] = self._call.operation
        attributes["net.peer.name"] = self._call.endpoint.netloc
        tables = self._tables()
        if tables is not None:
            attributes["aws.dynamodb.table_names"] = tables

    def _tables(self) -> "Optional[list[str]]":
        params, operation = self._call.params, self._call.operation
        if operation in _BATCHES:
            items = params.get("RequestItems")
            return list(items) if isinstance(items, dict) else None
        table = params.get("TableName") if operation in _DYNAMODB else None
        return None if table is None else [table]

    def before(self, span: "LibrarySpan") -> None:
        for name in _DYNAMODB.get(self._call.operation, ("", ""))[0].split():
            span.set("aws.dynamodb." + _ATTRIBUTES[name], _parameter(self._call.params, name))

    def succeeded(self, span: "LibrarySpan", result: "Any") -> None:
        for name in _DYNAMODB.get(self._call.operation, ("", ""))[1].split():
            span.set("aws.dynamodb." + _ATTRIBUTES[name], self._of_result(name, result.get(name)))

    def _of_result(self, name: str, value: "Any") -> "Any":
        if value is None or name in ("Count", "ScannedCount"):
            return value
        if name == "TableNames":
            return len(value)
        if name == "ItemCollectionMetrics":
            return _json(value) if isinstance(value, dict) else None
        if self._call.operation not in _BATCHES:
            return [_json(value)]
        return [_json(item) for item in value] if isinstance(value, list) else None


def _parameter(params: "dict[str, Any]", name: str) -> "Any":
    if name.endswith("Units"):
        return (params.get("ProvisionedThroughput") or {}).get(name)
    value = params.get(name)
    if name in _LISTS:
        return [_json(item) for item in value] if isinstance(value, list) else None
    return value


def _json(value: "Any") -> str:
    import json

    return json.dumps(value)


_BATCHES = ("BatchGetItem", "BatchWriteItem")
_THROUGHPUT = "ReadCapacityUnits WriteCapacityUnits"
_READ = "AttributesToGet ConsistentRead IndexName Limit ProjectionExpression Select"
_WRITTEN = "ConsumedCapacity ItemCollectionMetrics"
# Of each operation: the parameters and the parts of the result that become attributes.
_DYNAMODB = {
    "BatchGetItem": ("", "ConsumedCapacity"),
    "BatchWriteItem": ("", _WRITTEN),
    "CreateTable": (f"GlobalSecondaryIndexes LocalSecondaryIndexes {_THROUGHPUT}", ""),
    "DeleteItem": ("", _WRITTEN),
    "DeleteTable": ("", ""),
    "DescribeTable": ("", ""),
    "GetItem": ("ConsistentRead ProjectionExpression", "ConsumedCapacity"),
    "ListTables": ("ExclusiveStartTableName Limit", "TableNames"),
    "PutItem": ("", _WRITTEN),
    "Query": (f"ScanIndexForward {_READ}", "ConsumedCapacity"),
    "Scan": (f"Segment TotalSegments {_READ}", "Count ScannedCount ConsumedCapacity"),
    "UpdateItem": ("", _WRITTEN),
    "UpdateTable": (f"AttributeDefinitions GlobalSecondaryIndexUpdates {_THROUGHPUT}", ""),
}
_LISTS = (
    "AttributeDefinitions",
    "GlobalSecondaryIndexUpdates",
    "GlobalSecondaryIndexes",
    "LocalSecondaryIndexes",
)
_ATTRIBUTES = {
    "AttributeDefinitions": "attribute_definitions",
    "AttributesToGet": "attributes_to_get",
    "ConsistentRead": "consistent_read",
    "ConsumedCapacity": "consumed_capacity",
    "Count": "count",
    "ExclusiveStartTableName": "exclusive_start_table",
    "GlobalSecondaryIndexUpdates": "global_secondary_index_updates",
    "GlobalSecondaryIndexes": "global_secondary_indexes",
    "IndexName": "index_name",
    "ItemCollectionMetrics": "item_collection_metrics",
    "Limit": "limit",
    "LocalSecondaryIndexes": "local_secondary_indexes",
    "ProjectionExpression": "projection",
    "ReadCapacityUnits": "provisioned_read_capacity",
    "ScanIndexForward": "scan_forward",
    "ScannedCount": "scanned_count",
    "Segment": "segment",
    "Select": "select",
    "TableNames": "table_count",
    "TotalSegments": "total_segments",
    "WriteCapacityUnits": "provisioned_write_capacity",
}


class Lambda(Service):
    """The function that is invoked; its event takes the context along."""

    __slots__ = ()

    def describe(self, attributes: "dict[str, Any]") -> None:
        if self._call.operation == "Invoke":
            attributes["faas.invoked_provider"] = "aws"
            attributes["faas.invoked_name"] = self._function_name()
            attributes["faas.invoked_region"] = self._call.region

    def _function_name(self) -> "Any":
        import re

        given = self._call.params.get("FunctionName")
        found = re.match(_FUNCTION, given) if isinstance(given, str) else None
        return found.group(1) if found else given

    def before(self, span: "LibrarySpan") -> None:
        payload = self._call.params.get("Payload")
        if self._call.operation != "Invoke" or payload is None:
            return
        import json

        try:
            event = json.loads(payload)
        except ValueError:
            return
        if isinstance(event, dict):
            headers = event.setdefault("headers", {})
            inject(span.context, headers.__setitem__)
            self._call.params["Payload"] = json.dumps(event)


# A name, a partial or a whole ARN, with or without a qualifier.
_FUNCTION = (
    r"(?:arn:(?:aws[a-zA-Z-]*)?:lambda:)?(?:[a-z]{2}(?:-gov)?-[a-z]+-\d{1}:)?(?:\d{12}:)?"
    r"(?:function:)?([a-zA-Z0-9-_\.]+)(?::(?:\$LATEST|[a-zA-Z0-9-_]+))?"
)


class SecretsManager(Service):
    """The secret, where it is given or returned as an ARN."""

    __slots__ = ()

    def describe(self, attributes: "dict[str, Any]") -> None:
        secret = self._call.params.get("SecretId")
        if secret and secret.startswith("arn:aws:secretsmanager:"):
            attributes["aws.secretsmanager.secret.arn"] = secret

    def succeeded(self, span: "LibrarySpan", result: "Any") -> None:
        span.set("aws.secretsmanager.secret.arn", result.get("ARN") or None)


class StepFunctions(Service):
    """The state machine or the activity."""

    __slots__ = ()

    def describe(self, attributes: "dict[str, Any]") -> None:
        attributes.update(_step_functions(self._call.params))

    def succeeded(self, span: "LibrarySpan", result: "Any") -> None:
        for name, value in _step_functions(result).items():
            span.set(name, value)


def _step_functions(source: "Any") -> "dict[str, Any]":
    known = {
        "aws.step_functions.activity.arn": source.get("activityArn"),
        "aws.step_functions.state_machine.arn": source.get("stateMachineArn"),
    }
    return {name: value for name, value in known.items() if value}


class Sns(Service):
    """The topic; what is published takes the context along."""

    __slots__ = ()

    def describe(self, attributes: "dict[str, Any]") -> None:
        attributes["messaging.system"] = "aws.sns"
        topic = self._call.params.get("TopicArn")
        if topic:
            attributes["aws.sns.topic.arn"] = topic
        if self._call.operation in ("Publish", "PublishBatch"):
            name, destination = self._destination()
            self._call.kind = KIND_PRODUCER
            self._call.span_name = f"{name} send"
            attributes["messaging.destination_kind"] = "topic"
            attributes["messaging.destination"] = destination
            attributes["messaging.destination.name"] = destination

    def _destination(self) -> "tuple[str, str]":
        params, single = self._call.params, self._call.operation == "Publish"
        arn = params.get("TopicArn") or (params.get("TargetArn") if single else None)
        if arn:
            return arn.rsplit(":", 1)[-1], arn
        if single and params.get("PhoneNumber"):
            return "phone_number", "phone_number:**"  # whose number it is, is nobody's business
        return "unknown", "unknown"

    def before(self, span: "LibrarySpan") -> None:
        if self._call.operation == "Publish":
            _add_context(span, self._call.params)
        elif self._call.operation == "PublishBatch":
            for entry in self._call.params.get("PublishBatchRequestEntries", ()):
                _add_context(span, entry)

    def succeeded(self, span: "LibrarySpan", result: "Any") -> None:
        span.set("aws.sns.topic.arn", result.get("TopicArn") or None)


def _add_context(span: "LibrarySpan", message: "dict[str, Any]") -> None:
    attributes = message.get("MessageAttributes")
    attributes = message["MessageAttributes"] = {} if attributes is None else attributes
    if len(attributes) + field_count() > _MAX_MESSAGE_ATTRIBUTES:
        report_once("message attributes", "a message has no room for its trace context")
        return

    def set_attribute(name: str, value: str) -> None:
        attributes[name] = {"DataType": "String", "StringValue": value}

    inject(span.context, set_attribute)


class Sqs(Service):
    """The queue and the message."""

    __slots__ = ()

    def describe(self, attributes: "dict[str, Any]") -> None:
        queue_url = self._call.params.get("QueueUrl")
        if queue_url:
            attributes["aws.queue_url"] = queue_url
            attributes["messaging.system"] = "aws.sqs"
            attributes["messaging.url"] = queue_url
            attributes["messaging.destination"] = queue_url.split("/")[-1]

    def succeeded(self, span: "LibrarySpan", result: "Any") -> None:
        operation = self._call.operation
        if operation == "SendMessage":
            span.set("messaging.message.id", result.get("MessageId"))
        part = {"SendMessageBatch": "Successful", "ReceiveMessage": "Messages"}.get(operation, "")
        messages = result.get(part)
        if messages:
            span.set("messaging.message.id", messages[0].get("MessageId"))


SERVICES: "dict[str, type[Service]]" = {
    "dynamodb": DynamoDb,
    "lambda": Lambda,
    "secretsmanager": SecretsManager,
    "sns": Sns,
    "sqs": Sqs,
    "stepfunctions": StepFunctions,
}
