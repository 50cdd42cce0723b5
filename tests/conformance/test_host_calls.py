"""What a host answers to single calls; the test itself is the runtime and the extensions.

Each row names the number of its case and its source: D the developer guide ("Extensions API",
"Runtime API", "Telemetry API reference"), R the code of AWS's runtime interface emulator
(internal/lambda/rapi, internal/lambda/core), I an inference from both.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field

import pytest

from tests.conformance.host import EXTENSION, RUNTIME, host
from tests.emulator.environments import run
from wrapkit.tooling.emulator._region import availability_zone_id

UNKNOWN = "00000000-0000-4000-8000-000000000000"
TELEMETRY = "/2022-07-01/telemetry"
LOGS = "/2020-08-15/logs"
DESTINATION = {"protocol": "HTTP", "URI": "http://sandbox.localdomain:4243"}


@dataclass
class Call:
    """A call and its expected answer.

    ``registered`` have registered before; an identifier header may give such a name.
    """

    number: int
    source: str
    name: str
    method: str
    path: str
    status: int
    error_type: str = ""
    body: object = b""
    headers: dict[str, str] = field(default_factory=dict)
    message: str = ""
    externals: tuple[str, ...] = ("external",)
    registered: tuple[str, ...] = ()


def register(number, source, name, status, error_type="", **fields):
    fields.setdefault("headers", {"Lambda-Extension-Name": "external"})
    fields.setdefault("body", {"events": ["INVOKE", "SHUTDOWN"]})
    return Call(number, source, name, "POST", f"{EXTENSION}/register", status, error_type, **fields)


def subscribe(name, message="", **changes):
    document = {"schemaVersion": "2022-12-13", "types": ["platform"], "destination": DESTINATION}
    return Call(
        42,
        "D",
        name,
        "PUT",
        TELEMETRY,
        400,
        "ValidationError",
        body={**document, **changes},
        registered=("external",),
        headers={"Lambda-Extension-Identifier": "external"},
        message=message,
    )


def next_event(number, name, status, error_type, **headers):
    headers = {key.replace("_", "-"): value for key, value in headers.items()}
    path = f"{EXTENSION}/event/next"
    return Call(number, "R", name, "GET", path, status, error_type, headers=headers)


INVALID = "Extension.InvalidEventType"
STATE = "Extension.InvalidExtensionState"
CASES = [
    register(1, "R", "no name", 403, "Extension.InvalidExtensionName", headers={}),
    register(2, "D,R", "an external", 200),
    register(4, "R", "an empty object", 200, body={}),
    register(4, "R", "no events", 200, body={"events": []}),
    register(5, "R", "not JSON", 403, "InvalidRequestFormat", body=b"events"),
    register(
        5, "R", "configurationKeys", 403, "InvalidRequestFormat",
        body={"configurationKeys": ["a"]},
    ),
    register(6, "R", "an unknown event", 403, INVALID, body={"events": ["EVT"]}, message="EVT"),
    register(
        7, "D,R", "SHUTDOWN by a name that is no file", 403, INVALID,
        headers={"Lambda-Extension-Name": "typo"},
    ),
    register(8, "R", "an external twice", 403, STATE, registered=("external",)),
    register(
        9, "R", "two internals of one name", 403, STATE,
        headers={"Lambda-Extension-Name": "internal"}, body={"events": ["INVOKE"]},
        registered=("external", "internal"),
    ),
    register(
        11, "D,R", "the eleventh", 403, "Extension.TooManyExtensions",
        headers={"Lambda-Extension-Name": "one-more"}, body={"events": []},
        registered=("external", *(f"internal-{number}" for number in range(9))),
    ),
    next_event(12, "next without an identifier", 403, "Extension.MissingExtensionIdentifier"),
    next_event(
        12, "next with what is no UUID", 403, "Extension.InvalidExtensionIdentifier",
        Lambda_Extension_Identifier="me",
    ),
    next_event(
        12, "next with an unknown identifier", 403, "Extension.UnknownExtensionIdentifier",
        Lambda_Extension_Identifier=UNKNOWN,
    ),
    Call(
        24, "R", "exit/error without its type", "POST", f"{EXTENSION}/exit/error", 403,
        "Extension.MissingHeader", body={}, registered=("external",),
        headers={"Lambda-Extension-Identifier": "external"},
    ),
    Call(
        31, "R", "a response that nobody waits for", "POST",
        f"{RUNTIME}/invocation/x/response", 400, "InvalidRequestID",
    ),
    Call(0, "R", "ping", "GET", "/2018-06-01/ping", 200),
    Call(0, "R", "an unknown path", "GET", "/2018-06-01/nothing", 404, "NotFound"),
    Call(0, "R", "another method", "POST", "/2018-06-01/ping", 405, "NotFound"),
    Call(
        0, "R", "restore/next without a snapshot", "GET", f"{RUNTIME}/restore/next", 404,
        "NotFound",
    ),
    Call(
        41, "D", "the Logs API asks for an identifier, too", "PUT", LOGS, 403,
        "Extension.MissingExtensionIdentifier",
        body={"types": ["platform"], "destination": DESTINATION},
    ),
    Call(
        42, "D", "the Logs API without types", "PUT", LOGS, 400, "Logs.ValidationError",
        body={"destination": {"protocol": "HTTP", "URI": "http://sandbox.localdomain"}},
        registered=("external",), headers={"Lambda-Extension-Identifier": "external"},
        message="types should not be empty; URI port is not provided",
    ),
    subscribe("maxItems 999", buffering={"maxItems": 999}),
    subscribe("timeoutMs 24", buffering={"timeoutMs": 24}),
    subscribe("maxBytes 262143", buffering={"maxBytes": 262143}),
    subscribe("no types", types=[]),
    subscribe("an unknown type", types=["platform", "weather"]),
    subscribe("an unknown schema", schemaVersion="1999-01-01"),
    subscribe("no destination", destination=None),
    subscribe("no port", destination={"protocol": "HTTP", "URI": "http://sandbox.localdomain"}),
    subscribe("types that are no list", types="platform", message="types should be a list"),
    subscribe(
        "a port that is none", destination={"protocol": "TCP", "port": 70_000},
        message="port should be a number between 1 and 65535",
    ),
    subscribe("the reserved port", destination={"protocol": "TCP", "port": 9001}),
    subscribe("another machine", destination={"protocol": "HTTP", "URI": "http://example.com:80"}),
    Call(
        41, "D", "a subscriber that never registered", "PUT", TELEMETRY, 403,
        "Extension.UnknownExtensionIdentifier", headers={"Lambda-Extension-Identifier": UNKNOWN},
        body={"schemaVersion": "2022-12-13", "types": ["platform"], "destination": DESTINATION},
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.number} {case.name}")
def test_a_single_call(tmp_path, case):
    """Status and errorType of the answer; a refused call changes nothing, so Init can go on."""

    async def scenario():
        async with host(tmp_path, *case.externals) as (_, api, _init):
            for name in case.registered:
                await api.register(name, *(("INVOKE",) if name != "external" else ()))
            body = case.body if isinstance(case.body, bytes) else json.dumps(case.body).encode()
            headers = dict(case.headers)
            known = api.identifiers.get(headers.get("Lambda-Extension-Identifier"))
            if known:
                headers["Lambda-Extension-Identifier"] = known
            return await api.call(case.method, case.path, body, headers.items())

    status, _, body = run(scenario())
    answer = json.loads(body) if case.error_type else {}
    assert (status, answer.get("errorType", "")) == (case.status, case.error_type), body
    assert case.message in answer.get("errorMessage", "")


@pytest.mark.case(3)
def test_3_the_account_id_is_told_when_it_is_asked_for(tmp_path):
    """Lambda-Extension-Accept-Feature: unknown features are ignored (D, R)."""

    async def scenario():
        async with host(tmp_path, "one", "two") as (_, api, _init):
            answers = []
            for name, feature in (("one", None), ("two", "foo, accountId")):
                headers = [("Lambda-Extension-Name", name)]
                if feature:
                    headers.append(("Lambda-Extension-Accept-Feature", feature))
                answers.append(await api.call("POST", f"{EXTENSION}/register", b"{}", headers))
            return answers

    (_, headers, plain), (_, _, extended) = run(scenario())
    facts = {"functionName": "function", "functionVersion": "$LATEST", "handler": "app.handler"}
    assert len(headers["lambda-extension-identifier"]) == 36
    assert json.loads(plain) == facts
    assert json.loads(extended) == {**facts, "accountId": "123456789012"}


@pytest.mark.case(5, 6)
def test_5_and_6_a_refused_registration_can_be_repeated(tmp_path):
    """Nothing has changed by the refusal (R)."""

    async def scenario():
        async with host(tmp_path, "external") as (_, api, _init):
            named = [("Lambda-Extension-Name", "external")]
            for body in (b"", b'{"events":["EVT"]}', b'{"events":["INVOKE"]}'):
                status, _, _ = await api.call("POST", f"{EXTENSION}/register", body, named)
                yield status

    async def collect():
        return [status async for status in scenario()]

    assert run(collect()) == [403, 403, 200]


@pytest.mark.case(10, 41)
def test_10_registration_closes_with_the_runtimes_next(tmp_path):
    """403 Extension.RegistrationClosed; so closes telemetry with Init (D, R; 41)."""

    async def scenario():
        async with host(tmp_path, "external") as (_, api, init):
            await api.register("external", "INVOKE")
            waiting = [api.next_event("external"), api.next_invocation()]
            await init
            named = [("Lambda-Extension-Name", "late")]
            late = await api.call("POST", f"{EXTENSION}/register", b"{}", named)
            document = {
                "schemaVersion": "2022-12-13",
                "types": ["platform"],
                "destination": DESTINATION,
            }
            identified = [("Lambda-Extension-Identifier", api.identifiers["external"])]
            closed = await api.call("PUT", TELEMETRY, json.dumps(document).encode(), identified)
            for task in waiting:
                task.cancel()
            return late, closed

    late, closed = run(scenario())
    assert (late[0], json.loads(late[2])["errorType"]) == (403, "Extension.RegistrationClosed")
    assert (closed[0], json.loads(closed[2])["errorType"]) == (403, "Telemetry.SubscriptionClosed")


@pytest.mark.case(13)
def test_13_a_second_next_is_refused(tmp_path):
    """And the first one still gets its event (R)."""

    async def scenario():
        async with host(tmp_path, "external") as (environment, api, init):
            await api.register("external", "INVOKE")
            first, runtime = api.next_event("external"), api.next_invocation()
            await init
            second = await api.next_event("external")
            invocation = asyncio.ensure_future(environment.invoke(b"{}"))
            _, _, event = await first
            await runtime
            invocation.cancel()
            return second, event

    second, event = run(scenario())
    assert (second[0], json.loads(second[2])["errorType"]) == (403, STATE)
    assert json.loads(event)["eventType"] == "INVOKE"


@pytest.mark.parametrize("trace_header", [None, "Root=1-a;Parent=b;Sampled=1"])
@pytest.mark.case(19, 20)
def test_19_and_20_the_two_views_of_an_invocation_agree(tmp_path, trace_header):
    """Request id, deadline, ARN and trace; no ``tracing`` without a trace header (D, R)."""

    async def scenario():
        async with host(tmp_path, "external") as (environment, api, init):
            await api.register("external", "INVOKE")
            event, runtime = api.next_event("external"), api.next_invocation()
            await init
            invocation = asyncio.ensure_future(
                environment.invoke(b'{"a":1}', trace_header=trace_header)
            )
            (_, event_headers, event_body), (_, headers, body) = await event, await runtime
            invocation.cancel()
            return event_headers, json.loads(event_body), headers, body

    event_headers, event, headers, body = run(scenario())
    assert "lambda-extension-event-identifier" in event_headers
    expected = {
        "eventType": "INVOKE",
        "requestId": headers["lambda-runtime-aws-request-id"],
        "deadlineMs": int(headers["lambda-runtime-deadline-ms"]),
        "invokedFunctionArn": headers["lambda-runtime-invoked-function-arn"],
    }
    if trace_header:
        expected["tracing"] = {"type": "X-Amzn-Trace-Id", "value": trace_header}
    assert event == expected
    assert headers.get("lambda-runtime-trace-id") == trace_header
    assert (headers["content-type"], body) == ("application/json", b'{"a":1}')


@pytest.mark.case(23)
def test_23_init_error_after_next_is_refused(tmp_path):
    """403 Extension.InvalidExtensionState (R)."""

    async def scenario():
        async with host(tmp_path, "external") as (_, api, init):
            await api.register("external", "INVOKE")
            waiting = [api.next_event("external"), api.next_invocation()]
            await init
            headers = [
                ("Lambda-Extension-Identifier", api.identifiers["external"]),
                ("Lambda-Extension-Function-Error-Type", "Extension.Reason"),
            ]
            answer = await api.call("POST", f"{EXTENSION}/init/error", b"{}", headers)
            for task in waiting:
                task.cancel()
            return answer

    status, _, body = run(scenario())
    assert (status, json.loads(body)["errorType"]) == (403, STATE)


async def invoked(environment, api, init):
    """An environment in the middle of an invocation: (request id, the caller's task)."""
    runtime = api.next_invocation()
    await init
    invocation = asyncio.ensure_future(environment.invoke(b"{}"))
    _, headers, _ = await runtime
    return headers["lambda-runtime-aws-request-id"], invocation


@pytest.mark.parametrize(
    ("number", "paths", "headers", "expected"),
    [
        (27, ["wrong/response"], (), [(400, "InvalidRequestID")]),
        (
            29,
            ["{id}/response"],
            (("Lambda-Runtime-Function-Response-Mode", "foo"),),
            [(400, "InvalidFunctionResponseMode")],
        ),
        (31, ["{id}/response"] * 2, (), [(202, ""), (403, "InvalidStateTransition")]),
        (31, ["{id}/error", "{id}/response"], (), [(202, ""), (403, "InvalidStateTransition")]),
        (33, ["{id}/error"], (), [(202, "")]),
    ],
)
@pytest.mark.case(27, 29, 31, 33)
def test_27_to_33_outcomes(tmp_path, number, paths, headers, expected):
    """The answers to the runtime's outcomes (R)."""

    async def scenario():
        async with host(tmp_path) as (environment, api, init):
            request_id, invocation = await invoked(environment, api, init)
            answers = []
            for path in paths:
                whole_path = f"{RUNTIME}/invocation/{path.format(id=request_id)}"
                status, _, body = await api.call("POST", whole_path, b"{}", headers)
                answers.append((status, json.loads(body).get("errorType", "")))
            invocation.cancel()
            return answers

    assert run(scenario()) == expected


@pytest.mark.case(32)
def test_32_next_twice_gives_the_same_event(tmp_path):
    """A runtime that lost its invocation may ask again (R)."""

    async def scenario():
        async with host(tmp_path) as (environment, api, init):
            request_id, invocation = await invoked(environment, api, init)
            _, headers, _ = await api.next_invocation()
            invocation.cancel()
            return request_id, headers["lambda-runtime-aws-request-id"]

    first, second = run(scenario())
    assert first == second


@pytest.mark.case(33)
def test_33_an_error_without_a_type_is_unhandled(tmp_path):
    """The python runtime client sends none: Unhandled, runtimeDone success (I, R)."""

    async def scenario():
        async with host(tmp_path) as (environment, api, init):
            request_id, invocation = await invoked(environment, api, init)
            path = f"{RUNTIME}/invocation/{request_id}/error"
            await api.call("POST", path, b'{"errorType":"Mine"}')
            waiting = api.next_invocation()
            result = await invocation
            waiting.cancel()
            return environment, result

    environment, result = run(scenario())
    assert (result.payload, result.function_error) == (b'{"errorType":"Mine"}', "Unhandled")
    assert environment.record("platform.runtimeDone")["status"] == "success"


@pytest.mark.case(44)
def test_44_the_order_of_a_cold_start(tmp_path):
    """initStart < initRuntimeDone < extension < initReport < start < runtimeDone < report (R)."""

    async def scenario():
        async with host(tmp_path, "external") as (environment, api, init):
            await api.register("external")
            waiting = api.next_event("external")
            request_id, invocation = await invoked(environment, api, init)
            await api.call("POST", f"{RUNTIME}/invocation/{request_id}/response", b"1")
            more = api.next_invocation()
            await invocation
            waiting.cancel()
            more.cancel()
            return environment.types()

    assert run(scenario()) == [
        "platform.initStart",
        "platform.initRuntimeDone",
        "platform.extension",
        "platform.initReport",
        "platform.start",
        "platform.runtimeDone",
        "platform.report",
    ]


@pytest.mark.case(59)
def test_59_metadata_are_for_who_has_the_token(tmp_path):
    """401 without it, 200 with it and for long, 405 for another method than GET (D)."""
    path = "/2026-01-15/metadata/execution-environment"

    async def scenario():
        async with host(tmp_path) as (environment, api, _init):
            token = environment._host.tokens.metadata
            headers = [
                (),
                (("Authorization", "Bearer x"),),
                (("Authorization", f"Bearer {token}"),),
            ]
            answers = [await api.call("GET", path, b"", one) for one in headers]
            return [*answers, await api.call("POST", path, b"", headers[-1])]

    answers = run(scenario())
    assert [status for status, _, _ in answers] == [401, 401, 200, 405]
    _, headers, body = answers[2]
    assert json.loads(body) == {"AvailabilityZoneID": "use1-az1"}
    assert headers["cache-control"] == "private, max-age=43200, immutable"


@pytest.mark.parametrize(
    ("region", "zone"),
    [("eu-west-1", "euw1-az1"), ("ap-southeast-2", "apse2-az1"), ("us-gov-west-1", "usgw1-az1")],
)
def test_a_zone_is_named_after_its_region(region, zone):
    assert availability_zone_id(region) == zone


def test_a_fault_of_the_host_is_500(tmp_path, monkeypatch):
    """InternalServerError: an extension should end itself then (D, R)."""

    async def scenario():
        async with host(tmp_path, "external") as (environment, api, _init):
            await api.register("external", "INVOKE")

            def fail(_event):
                raise RuntimeError("our own fault")

            monkeypatch.setattr(environment._host, "receive", fail)
            return await api.next_event("external")

    status, _, body = run(scenario())
    assert (status, json.loads(body)["errorType"]) == (500, "InternalServerError")
