"""Recognises what invoked the function by the shape of its event.

Rule 1. Only the keys that tell one service from another are looked at; no payload is parsed, walked
        or copied. An event may come from anybody, so every value is checked before it is used.
Rule 2. Of a batch, the first MAX_RECORDS records are read, of a text the first MAX_TEXT characters.
Rule 3. A message is linked and never made the parent (semantic conventions, "SQS" in
        docs/faas/aws-lambda.md): the invocation has a parent of its own, and a batch as many
        origins as messages.
Rule 4. Nothing here raises: an event that is not what it looks like has no trigger.

The attributes of a request and of messages are in modules of their own, loaded when the first such
event comes.
"""

from ._trigger import (
    Trigger,
    carried_link,
    distinct_links,
    header_fields,
    messaging_attributes,
    text,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Optional


def recognise(event: "Any") -> "Optional[Trigger]":
    """What sent ``event``, None when it has no known shape and no headers. Never raises."""
    try:
        return _recognise(event)
    except Exception:  # noqa: BLE001 - an event is anybody's; without a trigger it is still a span
        return None


def response_attributes(trigger: "Optional[Trigger]", result: "Any") -> "dict[str, Any]":
    """What the handler's ``result`` says to ``trigger``: the status of an HTTP response, with
    ``error.type`` where it makes the span one of an error, or how many items of a batch failed.
    Never raises.
    """
    try:
        return _response_attributes(trigger, result)
    except Exception:  # noqa: BLE001 - a result may be of any class
        return {}


def _recognise(event: "Any") -> "Optional[Trigger]":
    if isinstance(event, list):
        return _list(event)
    if not isinstance(event, dict):
        return None
    for key, reader in _READERS:
        if key in event:
            trigger = reader(event)
            if trigger is not None:
                return trigger
    # As opentelemetry-lambda does: whoever invokes a function may hand a context on as headers.
    carrier = header_fields(event.get("multiValueHeaders")) or header_fields(event.get("headers"))
    return Trigger("other", "headers", carrier=carrier) if carrier else None


def _list(event: "list[Any]") -> "Optional[Trigger]":
    first = event[0] if event else None
    if not isinstance(first, dict):
        return None
    if "info" in first:
        return _app_sync(first)  # a batch of one request's fields
    # EventBridge Pipes hand over the records without an envelope.
    return _records({"Records": event})


def _records(event: "dict[str, Any]") -> "Optional[Trigger]":
    from ._trigger_messages import records_trigger

    return records_trigger(event["Records"])


def _broker(event: "dict[str, Any]") -> "Optional[Trigger]":
    from ._trigger_messages import broker_trigger

    return broker_trigger(event)


def _request(event: "dict[str, Any]") -> "Optional[Trigger]":
    from ._trigger_http import request_trigger

    return request_trigger(event)


def _app_sync(event: "dict[str, Any]") -> "Optional[Trigger]":
    if not isinstance(event["info"], dict) or "fieldName" not in event["info"]:
        return None
    from ._trigger_http import app_sync_trigger

    return app_sync_trigger(event)


def _event_bridge(event: "dict[str, Any]") -> "Optional[Trigger]":
    source, detail_type = text(event.get("source")), text(event["detail-type"])
    if not source or not detail_type or "detail" not in event:
        return None
    # A rule's schedule, and EventBridge Scheduler's default payload; the schedule itself is not in
    # the event, so there is no faas.cron.
    if detail_type == "Scheduled Event" and source in {"aws.events", "aws.scheduler"}:
        return Trigger("timer", "schedule", {"faas.time": text(event.get("time"))})
    attributes = messaging_attributes("aws.eventbridge")
    attributes["messaging.message.id"] = text(event.get("id"))
    links = distinct_links([event["detail"]], carried_link)
    return Trigger("pubsub", "event_bridge", attributes, links=links)


def _step_functions(event: "dict[str, Any]") -> "Optional[Trigger]":
    # The state machine's context object, which a task passes on as `$$` or `$states.context`.
    execution, machine = event.get("Execution"), event["StateMachine"]
    if not isinstance(execution, dict) or not isinstance(machine, dict):
        return None
    attributes = {"aws.step_functions.state_machine.arn": text(machine.get("Id"))}
    links = distinct_links([execution.get("Input")], carried_link)
    return Trigger("other", "step_functions", attributes, links=links)


def _cognito(event: "dict[str, Any]") -> "Optional[Trigger]":
    return Trigger("other", "cognito") if "userPoolId" in event else None


def _logs(event: "dict[str, Any]") -> "Optional[Trigger]":
    # The log group's name is within compressed data, which costs more to open than it tells.
    if not isinstance(event["awslogs"], dict) or "data" not in event["awslogs"]:
        return None
    return Trigger("pubsub", "cloudwatch_logs", messaging_attributes("aws.cloudwatch_logs"))


def _iot(event: "dict[str, Any]") -> "Optional[Trigger]":
    # A rule sends whatever its SQL selects; what AWS IoT itself publishes is recognisable: a
    # button, and a client's life cycle ($aws/events/presence/...).
    if "serialNumber" in event or ("eventType" in event and "clientId" in event):
        return Trigger("pubsub", "iot", messaging_attributes("aws.iot"))
    return None


# Ordered by how often functions meet them.
_READERS: "tuple[tuple[str, Callable[[dict[str, Any]], Optional[Trigger]]], ...]" = (
    ("Records", _records),
    ("requestContext", _request),
    ("detail-type", _event_bridge),
    ("eventSource", _broker),
    ("info", _app_sync),
    ("awslogs", _logs),
    ("triggerSource", _cognito),
    ("StateMachine", _step_functions),
    ("clickType", _iot),
    ("sessionIdentifier", _iot),
)


def _response_attributes(trigger: "Optional[Trigger]", result: "Any") -> "dict[str, Any]":
    if trigger is None:
        return {}
    if trigger.trigger == "http":
        from ._trigger_http import status_attributes

        return status_attributes(trigger, result)
    failures = result.get("batchItemFailures") if isinstance(result, dict) else None
    if isinstance(failures, list) and trigger.source in _BATCHES:
        # The conventions have no name for a batch of which some messages failed.
        return {"wrapkit.batch.item_failure_count": len(failures)}
    return {}


# https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html: the sources with
# ReportBatchItemFailures.
_BATCHES = frozenset(("sqs", "kinesis", "dynamodb", "kafka"))
