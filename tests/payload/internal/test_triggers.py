"""What invoked the function, told from its event alone, and what its result says to the caller.

Each file in `events/` holds an event of the shape that AWS documents for the service, with what has
to be recognised in it.
"""

from __future__ import annotations

import base64
import copy
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wrapkit.payload.internal._trigger import MAX_RECORDS, MAX_TEXT, Trigger
from wrapkit.payload.internal._triggers import recognise, response_attributes

EVENTS = Path(__file__).parent / "events"
CASES = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(EVENTS.glob("*.json"))}
TRACE_ID, SPAN_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE_ID}-{SPAN_ID}-01"
LINK = (TRACE_ID, SPAN_ID, 1, "")


def event_of(name):
    return copy.deepcopy(CASES[name]["event"])


def recognised(event):
    trigger = recognise(event)
    assert trigger is not None
    return trigger


def sqs_message(**fields):
    return {**event_of("sqs")["Records"][0], "messageAttributes": {}, **fields}


def kinesis_record(data):
    record = event_of("kinesis")["Records"][0]
    record["kinesis"]["data"] = base64.b64encode(data.encode()).decode()
    return record


@pytest.mark.parametrize("name", CASES)
def test_each_service_is_recognised(name):
    """The trigger, every attribute, every link and the parent's carrier are as expected."""
    expected = CASES[name]["expected"]

    trigger = recognised(event_of(name))

    assert (trigger.trigger, trigger.source) == (expected["trigger"], expected["source"])
    assert trigger.attributes == {"faas.trigger": expected["trigger"], **expected["attributes"]}
    assert [list(link) for link in trigger.links] == expected["links"]
    assert (trigger.carrier or {}).get("traceparent") == expected["traceparent"]


@pytest.mark.parametrize("name", CASES)
def test_the_event_is_left_as_it_is(name):
    """The handler gets the event that was sent."""
    event = event_of(name)

    recognise(event)

    assert event == CASES[name]["event"]


@pytest.mark.parametrize(
    "event",
    [
        None,
        "text",
        7,
        [],
        [1],
        {},
        {"key1": "value1"},
        {"Records": []},
        {"Records": [{"eventSource": "aws:unknown"}]},
        {"Records": {"eventSource": "aws:sqs"}},
        {"requestContext": {"stage": "test"}},
        {"eventSource": "aws:unknown"},
        {"eventSource": ["aws:kafka"]},
        {"detail-type": "x", "source": "y"},
        {"info": {"name": "x"}},
        {"headers": []},
        object,  # not an instance, whose repr differs between the processes of a run
    ],
    ids=repr,
)
def test_an_event_of_no_known_shape_has_no_trigger(event):
    """A key that a service happens to use too does not make an event that service's."""
    assert recognise(event) is None


def test_headers_of_an_event_of_no_known_shape_carry_the_parent():
    """Whoever invokes a function directly may pass the context on, in any case of the name."""
    trigger = recognised({"headers": {"TraceParent": TRACEPARENT}})

    assert trigger.trigger == "other"
    assert trigger.carrier == {"traceparent": TRACEPARENT}


def test_an_unreadable_known_key_does_not_hide_the_headers():
    """An event that only looks like a batch is still one with headers."""
    trigger = recognised({"Records": None, "headers": {"traceparent": TRACEPARENT}})

    assert trigger.carrier == {"traceparent": TRACEPARENT}


def test_a_repeated_traceparent_is_not_taken_for_one():
    """Two parents are none: the joined value is invalid, as W3C's specification has it."""
    event = event_of("load_balancer_multi_value")
    event["multiValueHeaders"]["traceparent"] = [TRACEPARENT, TRACEPARENT]

    assert recognised(event).carrier["traceparent"] == f"{TRACEPARENT},{TRACEPARENT}"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("AWSAccessKeyId=A&Signature=B&x=1", "AWSAccessKeyId=REDACTED&Signature=REDACTED&x=1"),
        ("X-Goog-Signature=a=b&sig", "X-Goog-Signature=REDACTED&sig=REDACTED"),
        ("X-Amz-Signature=1&X-Amz-Date=2", "X-Amz-Signature=REDACTED&X-Amz-Date=2"),
        ("signal=1&design=2", "signal=1&design=2"),
    ],
)
def test_secrets_in_a_query_are_redacted(query, expected):
    """The keys stay, the values of those that sign a request do not."""
    event = event_of("api_gateway_v2")
    event["rawQueryString"] = query

    assert recognised(event).attributes["url.query"] == expected


def test_a_cut_query_does_not_uncover_a_secret():
    """A value that is cut in the middle is still a secret's."""
    event = event_of("api_gateway_v2")
    event["rawQueryString"] = "a=" + "x" * (MAX_TEXT - 10) + "&sig=" + "secret" * 20

    assert recognised(event).attributes["url.query"].endswith("&sig=REDACTED")


@pytest.mark.parametrize(
    ("host", "address"),
    [("example.com:8443", "example.com"), ("[::1]:80", "[::1]"), ("[::1]", "[::1]")],
)
def test_a_port_is_no_part_of_the_address(host, address):
    """`server.address` is the host alone."""
    event = event_of("load_balancer")
    event["headers"]["host"] = host

    assert recognised(event).attributes["server.address"] == address


def test_one_senders_mistake_does_not_hide_the_other_messages():
    """A message whose envelope is cut, nested too deep or no JSON costs its own link only."""
    head = '{"Type": "Notification", "TopicArn": "arn", "MessageAttributes": '
    bodies = [head + "{", head + '{"a":' * 20000, head + "{]"]
    good = {"traceparent": {"stringValue": TRACEPARENT, "dataType": "String"}}
    x_ray = {"AWSTraceHeader": f"Root=1-5759e988-bd862e3fe1be46a994272793;Parent={SPAN_ID}"}
    messages = [sqs_message(body=body, attributes=x_ray) for body in bodies]

    trigger = recognised({"Records": [*messages, sqs_message(messageAttributes=good)]})

    assert trigger.links == [("5759e988bd862e3fe1be46a994272793", SPAN_ID, 0, ""), LINK]
    assert trigger.attributes["messaging.batch.message_count"] == 4


def test_a_sender_cannot_forge_a_header_of_bytes():
    """What is no byte in a Kafka header is left out, and so are endless ones."""
    event = event_of("kafka_self_managed")
    messages = event["records"]["mytopic-3"]
    messages[0]["headers"] = [{"traceparent": ["0", None]}, {"traceparent": list(range(100000))}]

    assert recognised(event).links == [LINK]


def test_the_messages_of_one_sender_share_a_link():
    """Links are distinct: what was sent in one span is linked once."""
    good = {"traceparent": {"stringValue": TRACEPARENT, "dataType": "String"}}
    messages = [sqs_message(messageAttributes=good) for _ in range(10)]

    assert recognised({"Records": messages}).links == [LINK]


def test_of_a_batch_the_first_records_are_read():
    """As many links as a span keeps; the count is that of all."""
    messages = [
        sqs_message(
            messageAttributes={"traceparent": {"stringValue": f"00-{TRACE_ID}-{number:016x}-00"}}
        )
        for number in range(1, 1001)
    ]

    trigger = recognised({"Records": messages})

    assert len(trigger.links) == MAX_RECORDS
    assert trigger.attributes["messaging.batch.message_count"] == 1000


def test_a_batch_of_several_queues_names_none():
    """What would be wrong of some messages is not said."""
    records = [sqs_message(), sqs_message(eventSourceARN="arn:aws:sqs:eu-west-1:1:other")]

    assert "messaging.destination.name" not in recognised({"Records": records}).attributes


@pytest.mark.parametrize("sampled", [0, 1])
def test_a_link_keeps_the_sampling_decision_of_x_ray(sampled):
    """Of a link, unlike of a parent, `Sampled=0` says that there is no span to be found."""
    header = f"Root=1-5759e988-bd862e3fe1be46a994272793;Parent={SPAN_ID};Sampled={sampled}"
    message = sqs_message(attributes={"AWSTraceHeader": header})

    links = recognised({"Records": [message]}).links

    assert links == [("5759e988bd862e3fe1be46a994272793", SPAN_ID, sampled, "")]


@pytest.mark.parametrize("padding", ["", "x", "xx", "x" * 1000])
@pytest.mark.parametrize("name", ["traceparent", "_traceparent"])
def test_a_streams_context_is_found_at_any_place(name, padding):
    """Base64 shifts by the byte: each of the three alignments is found without decoding all."""
    data = json.dumps({"padding": padding, name: TRACEPARENT, "tail": "y" * 5000})

    assert recognised({"Records": [kinesis_record(data)]}).links == [LINK]


def test_streams_are_searched_within_a_bound():
    """What is beyond the bound of a batch has no link, and is not searched."""
    small = json.dumps({"traceparent": TRACEPARENT})
    large = json.dumps({"padding": "x" * 3000000, "traceparent": TRACEPARENT[:-1] + "0"})

    trigger = recognised({"Records": [kinesis_record(large), kinesis_record(small)]})

    assert trigger.links == [LINK]


@pytest.mark.parametrize("key", ["a%", "a%zz", "a%C3", "a%C"])
def test_a_key_that_is_not_encoded_stays_as_it_is(key):
    """What is no percent-encoding is part of the object's name."""
    event = event_of("s3")
    event["Records"][0]["s3"]["object"]["key"] = key

    assert recognised(event).attributes["aws.s3.key"] == key


def test_an_eventbridge_detail_may_be_a_text():
    """A detail that is no object has no context, and the event is still recognised."""
    event = {**event_of("event_bridge"), "detail": "{}"}

    assert recognised(event).links == []


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ({"statusCode": 200}, {"http.response.status_code": 200}),
        ({"statusCode": "201"}, {"http.response.status_code": 201}),
        ({"statusCode": 404}, {"http.response.status_code": 404}),
        ({"statusCode": 503}, {"http.response.status_code": 503, "error.type": "503"}),
        ({"statusCode": True}, {}),
        ({"statusCode": 42}, {}),
        ({"statusCode": "abc"}, {}),
        ({"statusCode": [200]}, {}),
    ],
    ids=repr,
)
@pytest.mark.parametrize(
    "name", ["api_gateway_v1", "api_gateway_v2", "load_balancer", "function_url"]
)
def test_the_status_of_a_response_is_recorded(name, result, expected):
    """5xx is an error of the server's span, 4xx is not."""
    assert response_attributes(recognised(event_of(name)), result) == expected


@pytest.mark.parametrize("result", [None, "Hello", {"message": "Hello"}], ids=repr)
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("api_gateway_v2", {"http.response.status_code": 200}),
        ("function_url", {"http.response.status_code": 200}),
        ("api_gateway_v1", {}),
        ("load_balancer", {}),
        ("api_gateway_v2_authorizer", {}),
    ],
)
def test_a_response_without_status_is_200_where_the_service_says_so(name, expected, result):
    """Only the second version of the payload format has a default."""
    assert response_attributes(recognised(event_of(name)), result) == expected


def test_a_resolvers_result_is_no_response():
    """A field of that name in the data that AppSync asked for is no status."""
    assert response_attributes(recognised(event_of("app_sync")), {"statusCode": 500}) == {}


@pytest.mark.parametrize("name", ["sqs_batch", "kinesis", "dynamodb", "kafka_msk"])
def test_failed_items_of_a_batch_are_counted(name):
    """A function that reports its failures says how many there are, none included."""
    trigger = recognised(event_of(name))

    for failures in ([], [{"itemIdentifier": "1"}, {"itemIdentifier": "2"}]):
        attributes = response_attributes(trigger, {"batchItemFailures": failures})
        assert attributes == {"wrapkit.batch.item_failure_count": len(failures)}


@pytest.mark.parametrize("result", [None, [], {}, {"batchItemFailures": None}], ids=repr)
def test_a_batch_without_report_says_nothing(result):
    """Most functions report no failures by item."""
    assert response_attributes(recognised(event_of("sqs")), result) == {}


def test_nothing_is_said_of_a_result_without_a_trigger():
    """A direct invocation's result is its own business."""
    assert response_attributes(None, {"statusCode": 500}) == {}


class Hostile(dict[str, object]):
    """Looks like an event or a result, and raises at every touch."""

    def __contains__(self, key):
        raise RuntimeError(key)

    def get(self, key, default=None):
        raise RecursionError(key)


def test_objects_that_raise_are_no_trouble():
    """A runtime may be given objects of any class; the invocation goes on without a trigger."""
    assert recognise(Hostile()) is None
    assert recognise({"Records": [Hostile()]}) is None
    assert response_attributes(Trigger("http", "api_gateway_v1"), Hostile()) == {}


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner),
    max_leaves=12,
)


@given(event=JSON, result=JSON)
def test_any_json_is_taken(event, result):
    """No event and no result makes it raise."""
    response_attributes(recognise(event), result)


def places(value, path=()):
    """The paths of all values within `value`."""
    yield path
    if isinstance(value, (dict, list)):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*path, key))


def replaced(value, path, new):
    if not path:
        return new
    copied = copy.copy(value)
    copied[path[0]] = replaced(value[path[0]], path[1:], new)
    return copied


PLACES = [(name, path) for name in CASES for path in places(CASES[name]["event"])]


@settings(max_examples=500)
@given(place=st.sampled_from(PLACES), new=JSON, result=JSON)
def test_an_event_with_any_value_replaced_is_taken(place, new, result):
    """Almost right is the hard case: what comes of it can still be exported."""
    name, path = place
    trigger = recognise(replaced(CASES[name]["event"], path, new))

    for value in (trigger.attributes if trigger else {}).values():
        assert value not in (None, "")
        assert isinstance(value, (str, int)) or value == [str(value[0])]
    for trace_id, span_id, flags, state in trigger.links if trigger else ():
        assert len(bytes.fromhex(trace_id)) == 16
        assert len(bytes.fromhex(span_id)) == 8
        assert 0 <= flags <= 255
        assert isinstance(state, str)
    response_attributes(trigger, result)


def test_a_huge_event_is_not_walked():
    """Texts are cut, and of a long list or mapping only the beginning is touched."""
    event = event_of("load_balancer_multi_value")
    event["path"] = "x" * 1000000
    event["multiValueHeaders"] = {f"name-{number}": ["v"] * 1000 for number in range(2000)}
    event["multiValueQueryStringParameters"] = {"a": ["b"] * 100000}

    trigger = recognised(event)

    assert len(trigger.attributes["url.path"]) == MAX_TEXT
    assert len(trigger.carrier) == MAX_RECORDS
    assert trigger.attributes["url.query"].count("&") == MAX_RECORDS - 1
