"""Invoke as boto3 speaks it: answers, errors, qualifiers, and what the function is told."""

from __future__ import annotations

import base64
import json
import re

import pytest
import requests
from botocore.exceptions import ClientError

ECHO = "def handler(event, context): return event"
CONTEXT = """
import os
def handler(event, context):
    client = context.client_context
    return {
        "id": context.aws_request_id,
        "arn": context.invoked_function_arn,
        "trace": os.environ["_X_AMZN_TRACE_ID"],
        "client": client and client.custom,
        "tenant": context.tenant_id,
    }
"""
MAX_BYTES = 6 * 1024 * 1024


@pytest.fixture
def echo(serve):
    with serve(ECHO, aliases=("prod",)) as serving:
        yield serving


def refusal(serving, **request):
    """The name, status and text of the error that a request is answered with."""
    with pytest.raises(ClientError) as failure:
        serving.client.invoke(**{"FunctionName": "function", **request})
    answer = failure.value.response
    return (
        type(failure.value).__name__,
        answer["ResponseMetadata"]["HTTPStatusCode"],
        answer["Error"]["Message"],
    )


def test_a_caller_gets_the_answer_and_what_ran(echo):
    answer = echo.invoke(b'{"n": 1}')

    assert json.loads(answer["Payload"]) == {"n": 1}
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert "FunctionError" not in answer
    assert "LogResult" not in answer


def test_no_payload_is_an_empty_object(echo):
    assert json.loads(echo.invoke(b"")["Payload"]) == {}


def test_the_request_id_is_the_functions(serve):
    """One id for the caller, the function, and the log."""
    with serve(CONTEXT) as serving:
        answer = serving.invoke()
        ended = serving.journal.wait_for("invocation")

    told = json.loads(answer["Payload"])
    assert answer["ResponseMetadata"]["RequestId"] == told["id"] == ended[0][1].request_id


def test_the_log_tail_ends_in_the_report(serve):
    with serve("def handler(event, context): print('hello')") as serving:
        answer = serving.invoke(LogType="Tail")

    lines = base64.b64decode(answer["LogResult"]).decode().splitlines()
    assert lines[0].startswith("START RequestId: ")
    assert "hello" in lines
    assert lines[-1].startswith("REPORT RequestId: ")


def test_the_log_tail_has_4_kb_at_most(serve):
    with serve("def handler(event, context): print('x' * 9000)") as serving:
        answer = serving.invoke(LogType="Tail")

    assert len(base64.b64decode(answer["LogResult"])) == 4096


def test_an_exception_is_a_function_error_with_its_document(serve):
    with serve("def handler(event, context): raise ValueError('no')") as serving:
        answer = serving.invoke()

    document = json.loads(answer["Payload"])
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert (document["errorType"], document["errorMessage"]) == ("ValueError", "no")


def test_a_timeout_is_a_function_error_of_the_platform(serve):
    code = "import time\ndef handler(event, context): time.sleep(event)\n"
    with serve(code, timeout_ms=3000) as serving:
        answer = serving.invoke(b"9")
        after = serving.invoke(b"0")

    assert answer["FunctionError"] == "Unhandled"
    assert "Task timed out after 3.00 seconds" in json.loads(answer["Payload"])["errorMessage"]
    assert after["Payload"] == b"null"


def test_a_function_that_cannot_be_loaded_says_so_to_its_caller(serve):
    with serve("import a_module_that_is_nowhere") as serving:
        answer = serving.invoke()

    assert answer["FunctionError"] == "Unhandled"
    assert json.loads(answer["Payload"])["errorType"] == "Runtime.ImportModuleError"


def test_a_dry_run_runs_nothing(echo):
    answer = echo.invoke(InvocationType="DryRun")

    assert (answer["StatusCode"], answer["Payload"]) == (204, b"")
    assert echo.journal.happened == []


@pytest.mark.parametrize(
    "name",
    [
        "function",
        "function:$LATEST",
        "123456789012:function:function",
        "arn:aws:lambda:us-east-1:123456789012:function:function",
        "arn:aws-us-gov:lambda:us-gov-west-1:210987654321:function:function:prod",
    ],
)
def test_a_function_goes_by_name_and_by_arn(echo, name):
    """Of whatever account and region: production's ARN in a test finds what is served here."""
    assert echo.invoke(b"1", name)["Payload"] == b"1"


def test_an_alias_is_in_the_invoked_arn(serve):
    with serve(CONTEXT, aliases=("prod",)) as serving:
        arns = [
            json.loads(serving.invoke(**request)["Payload"])["arn"]
            for request in ({}, {"Qualifier": "prod"}, {"name": "function:prod"})
        ]

    arn = "arn:aws:lambda:us-east-1:123456789012:function:function"
    assert arns == [arn, f"{arn}:prod", f"{arn}:prod"]


def test_an_unknown_function_or_qualifier_is_not_found(echo):
    arn = "arn:aws:lambda:us-east-1:123456789012:function"
    kind = "ResourceNotFoundException"

    assert refusal(echo, FunctionName="other") == (kind, 404, f"Function not found: {arn}:other")
    assert refusal(echo, Qualifier="7") == (kind, 404, f"Function not found: {arn}:function:7")


def test_two_qualifiers_that_differ_are_refused(echo):
    kind, status, message = refusal(echo, FunctionName="function:prod", Qualifier="$LATEST")

    assert (kind, status) == ("InvalidParameterValueException", 400)
    assert "does not match the specified qualifier" in message


@pytest.mark.parametrize("payload", [b"{", b"{'a': 1}", b"NaN", b"\xff", b"[" * 100_000])
def test_what_is_not_json_is_refused(echo, payload):
    kind, status, message = refusal(echo, Payload=payload)

    assert (kind, status) == ("InvalidRequestContentException", 400)
    assert message.startswith("Could not parse request body into json")


@pytest.mark.parametrize(
    ("invocation_type", "limit"), [("RequestResponse", MAX_BYTES), ("Event", 1024 * 1024)]
)
def test_a_payload_over_the_limit_is_refused(echo, invocation_type, limit):
    payload = b'"' + b"x" * (limit - 2) + b'"'

    kind, status, message = refusal(echo, Payload=payload + b" ", InvocationType=invocation_type)
    assert (kind, status) == ("RequestTooLargeException", 413)
    assert message == (
        f"{limit + 1} byte payload is too large for the {invocation_type} invocation type "
        f"(limit {limit} bytes)"
    )
    assert echo.invoke(b"1")["Payload"] == b"1"


def test_a_payload_of_the_limit_reaches_the_function(serve):
    payload = b'"' + b"x" * (MAX_BYTES - 2) + b'"'
    with serve("def handler(event, context): return len(event)", timeout_ms=30_000) as serving:
        assert serving.invoke(payload)["Payload"] == str(MAX_BYTES - 2).encode()


def test_client_context_and_tenant_reach_the_function(serve):
    context = base64.b64encode('{"custom": {"place": "Tromsø\\n"}}'.encode()).decode()
    with serve(CONTEXT) as serving:
        told = json.loads(serving.invoke(ClientContext=context, TenantId="t-1")["Payload"])

    assert (told["client"], told["tenant"]) == ({"place": "Tromsø\n"}, "t-1")


def test_a_client_context_that_is_none_is_refused(echo):
    kind, status, _ = refusal(echo, ClientContext="not base64")

    assert (kind, status) == ("InvalidRequestContentException", 400)


def test_each_invocation_has_a_trace_header(serve):
    """The caller's with what it lacks, else one of our own."""
    root = "Root=1-5759e988-bd862e3fe1be46a994272793"
    with serve(CONTEXT) as serving:
        url = serving.endpoint + "/2015-03-31/functions/function/invocations"
        given = f"{root};Parent=53995c3f42cd8ad8;Sampled=1;Lineage=1:a:0"
        whole = requests.post(url, headers={"X-Amzn-Trace-Id": given}, timeout=30)
        part = requests.post(url, headers={"X-Amzn-Trace-Id": root}, timeout=30)
        none = json.loads(serving.invoke()["Payload"])["trace"]

    assert whole.json()["trace"] == whole.headers["X-Amzn-Trace-Id"] == given
    assert re.fullmatch(rf"{root};Parent=[0-9a-f]{{16}};Sampled=0", part.json()["trace"])
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0", none)


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "kind"),
    [
        ("GET", "/", {}, 404, "UnknownOperationException"),
        ("GET", "/2015-03-31/functions/function/invocations", {}, 404, "UnknownOperationException"),
        ("POST", "/2015-03-31/functions/a%20b/invocations", {}, 400, "ValidationException"),
        (
            "POST",
            "/2015-03-31/functions/function/invocations",
            {"X-Amz-Invocation-Type": "Later"},
            400,
            "InvalidParameterValueException",
        ),
        (
            "POST",
            "/2015-03-31/functions/function/invocations",
            {"X-Amz-Log-Type": "Head"},
            400,
            "InvalidParameterValueException",
        ),
    ],
)
def test_what_no_client_of_aws_sends_is_refused_in_its_shape(
    echo, method, path, headers, status, kind
):
    answer = requests.request(method, echo.endpoint + path, headers=headers, timeout=30)

    assert (answer.status_code, answer.headers["x-amzn-ErrorType"]) == (status, kind)
    assert answer.headers["x-amzn-RequestId"]
    assert answer.json()["message"]
