"""The three APIs as bytes: what one side writes, the other side reads."""

import json

import pytest

from wrapkit.lifecycle import (
    Endpoint,
    HttpError,
    MessageReader,
    RemoteLifecycleError,
    accepted_answer,
    credentials_answer,
    error_answer,
    extension_error_request,
    invocation_answer,
    invoke_event_answer,
    metadata_answer,
    next_event_request,
    raise_for_error,
    read_next_event,
    read_register_answer,
    read_register_request,
    register_answer,
    register_request,
    registered_identifier,
    restore_answer,
    route,
    shutdown_event_answer,
    telemetry_request,
    without_error_cause,
)


def message(data, *, requests):
    reader = MessageReader(requests=requests)
    reader.receive(data)
    result = reader.next_message()
    assert result is not None
    assert reader.between_messages
    return result


def request(data):
    return message(data, requests=True)


def answer(data):
    return message(data, requests=False)


def raw_request(line, body=b"", **headers):
    head = [line + " HTTP/1.1", f"Content-Length: {len(body)}"]
    head += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return request("\r\n".join(head).encode() + b"\r\n\r\n" + body)


@pytest.mark.parametrize("endpoint", list(Endpoint))
def test_each_endpoint_is_found_by_its_path_and_refused_by_another_method(endpoint):
    line = endpoint.value.replace("{request_id}", "r-1")
    assert route(raw_request(line + "?x=1").head) == (
        endpoint,
        "r-1" if "{request_id}" in endpoint.value else "",
    )

    with pytest.raises(HttpError) as caught:
        route(raw_request("DELETE " + line.split(" ")[1]).head)
    assert caught.value.status == 405


@pytest.mark.parametrize(
    "path",
    ["/", "/2018-06-01/runtime/invocation//response", "/2018-06-01/runtime/invocation/r-1/other"],
)
def test_an_unknown_path_is_404(path):
    with pytest.raises(HttpError) as caught:
        route(raw_request("POST " + path).head)
    assert caught.value.status == 404


def test_a_registration_is_read_as_it_was_written():
    written = request(register_request("h", "wrapkit", ("INVOKE", "SHUTDOWN")))

    assert route(written.head)[0] is Endpoint.EXTENSION_REGISTER
    assert read_register_request(written) == ("wrapkit", ("INVOKE", "SHUTDOWN"), ())


def test_accepted_features_are_a_comma_separated_list():
    written = request(register_request("h", "wrapkit", (), accept_features=("foo", "accountId")))

    assert read_register_request(written) == ("wrapkit", (), ("foo", "accountId"))


@pytest.mark.parametrize(
    ("body", "name", "error_type"),
    [
        (b"{}", "", "Extension.InvalidExtensionName"),
        (b"not json", "x", "InvalidRequestFormat"),
        (b"[]", "x", "InvalidRequestFormat"),
        (b'{"configurationKeys":["a"]}', "x", "InvalidRequestFormat"),
        (b'{"events":"INVOKE"}', "x", "InvalidRequestFormat"),
        (b'{"events":[1]}', "x", "InvalidRequestFormat"),
    ],
)
def test_a_registration_that_cannot_be_read_names_the_platforms_error(body, name, error_type):
    written = raw_request("POST /", body, Lambda_Extension_Name=name)
    with pytest.raises(RemoteLifecycleError) as caught:
        read_register_request(written)

    assert caught.value.error_type == error_type
    assert caught.value.status == 403


@pytest.mark.parametrize("account_id", [None, "123456789012"])
def test_a_registration_answer_is_read_as_it_was_written(account_id):
    written = answer(
        register_answer(
            "u-1",
            function_name="f",
            function_version="$LATEST",
            handler="app.handler",
            account_id=account_id,
        )
    )
    facts = {"functionName": "f", "functionVersion": "$LATEST", "handler": "app.handler"}
    if account_id:
        facts["accountId"] = account_id

    assert read_register_answer(written) == ("u-1", facts)


def test_a_refused_registration_carries_type_message_and_status():
    refused = answer(error_answer(403, "Extension.TooManyExtensions", "limit (10) reached"))
    with pytest.raises(RemoteLifecycleError, match="limit") as caught:
        registered_identifier(refused)

    assert (caught.value.error_type, caught.value.status) == ("Extension.TooManyExtensions", 403)


def test_a_registration_answer_without_an_identifier_is_an_error():
    with pytest.raises(RemoteLifecycleError, match="identifier"):
        registered_identifier(answer(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b'{"errorType": 5}'])
def test_an_error_answer_of_any_shape_is_an_error(body):
    data = b"HTTP/1.1 500 Oops\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    with pytest.raises(RemoteLifecycleError, match="500") as caught:
        raise_for_error(answer(data))

    assert caught.value.error_type == ""


def test_the_invoke_event_has_tracing_only_with_a_trace_header():
    def event(trace_header):
        return read_next_event(
            answer(
                invoke_event_answer(
                    "e-1",
                    request_id="r-1",
                    deadline_ms=5,
                    invoked_function_arn="arn",
                    trace_header=trace_header,
                )
            )
        )

    assert event("Root=1")["tracing"] == {"type": "X-Amzn-Trace-Id", "value": "Root=1"}
    assert event(None) == {
        "eventType": "INVOKE",
        "deadlineMs": 5,
        "requestId": "r-1",
        "invokedFunctionArn": "arn",
    }


def test_the_shutdown_event_has_reason_and_deadline():
    written = answer(shutdown_event_answer("e-2", reason="spindown", deadline_ms=7))

    assert read_next_event(written) == {
        "eventType": "SHUTDOWN",
        "shutdownReason": "spindown",
        "deadlineMs": 7,
    }
    assert written.head.headers["lambda-extension-event-identifier"] == "e-2"


def test_an_event_that_cannot_be_read_is_an_event_of_no_type():
    assert read_next_event(answer(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{x}")) == {}


def test_the_next_request_names_the_extension():
    written = request(next_event_request("h:1", "u-1"))

    assert route(written.head)[0] is Endpoint.EXTENSION_NEXT
    assert written.head.headers["lambda-extension-identifier"] == "u-1"
    assert written.head.headers["host"] == "h:1"


@pytest.mark.parametrize(
    ("during_init", "endpoint"),
    [(True, Endpoint.EXTENSION_INIT_ERROR), (False, Endpoint.EXTENSION_EXIT_ERROR)],
)
def test_an_extensions_own_failure_is_reported_to_the_phase_it_is_in(during_init, endpoint):
    written = request(
        extension_error_request("h", "u-1", "Extension.Oops", "why", during_init=during_init)
    )

    assert route(written.head)[0] is endpoint
    assert written.head.headers["lambda-extension-function-error-type"] == "Extension.Oops"
    assert json.loads(written.body)["errorMessage"] == "why"


def test_the_telemetry_subscription_has_the_documented_shape():
    written = request(
        telemetry_request(
            "h",
            "u-1",
            "http://sandbox.localdomain:4243/t",
            ["platform"],
            schema_version="2022-12-13",
        )
    )

    assert route(written.head)[0] is Endpoint.TELEMETRY_SUBSCRIBE
    assert json.loads(written.body) == {
        "schemaVersion": "2022-12-13",
        "types": ["platform"],
        "buffering": {"maxItems": 1000, "maxBytes": 262144, "timeoutMs": 25},
        "destination": {"protocol": "HTTP", "URI": "http://sandbox.localdomain:4243/t"},
    }


def test_an_invocation_carries_the_headers_that_have_values():
    written = answer(
        invocation_answer(
            b"{}",
            request_id="r-1",
            deadline_ms=9,
            invoked_function_arn="arn",
            trace_header="Root=1",
            tenant_id="",
        )
    )

    assert written.body == b"{}"
    assert written.head.headers == {
        "content-type": "application/json",
        "content-length": "2",
        "lambda-runtime-aws-request-id": "r-1",
        "lambda-runtime-deadline-ms": "9",
        "lambda-runtime-invoked-function-arn": "arn",
        "lambda-runtime-trace-id": "Root=1",
    }


def test_a_taken_report_is_202():
    taken = answer(accepted_answer())

    assert (taken.head.status, json.loads(taken.body)) == (202, {"status": "OK"})
    raise_for_error(taken)


def test_metadata_may_be_kept():
    """They do not change within an environment's life."""
    written = message(metadata_answer("use1-az1"), requests=False)
    assert written.body == b'{"AvailabilityZoneID":"use1-az1"}'
    assert "immutable" in written.head.headers["cache-control"]


def test_a_restore_is_answered_with_nothing():
    """The runtime goes on with its hooks."""
    assert (message(restore_answer(), requests=False).head.status) == 200


def test_credentials_have_the_names_that_the_sdks_read():
    """As of a container's credentials endpoint."""
    written = message(credentials_answer("a", "s", "t", "2026-01-01T00:00:00Z"), requests=False)
    assert json.loads(written.body) == {
        "AccessKeyId": "a",
        "SecretAccessKey": "s",
        "Token": "t",
        "Expiration": "2026-01-01T00:00:00Z",
    }


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"errorType": "E", "errorCause": {"a": 1}}', b'{"errorType": "E"}'),
        (b'{"errorType": "E"}', b'{"errorType": "E"}'),
        (b"not JSON", b"not JSON"),
    ],
)
def test_a_cause_is_not_the_callers(body, expected):
    """The rest of the error is."""
    assert without_error_cause(body) == expected
