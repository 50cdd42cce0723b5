"""Signatures against AWS's published vectors and against AWS's own implementation."""

from __future__ import annotations

import datetime
from types import SimpleNamespace

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from hypothesis import given
from hypothesis import strategies as st

from wrapkit.payload import _report
from wrapkit.payload._otlp_http import Target, parse_url
from wrapkit.payload.external._credentials import (
    REFRESH_MS,
    Credentials,
    credentials_request,
    environment_credentials,
    read_credentials,
)
from wrapkit.payload.external._sigv4 import (
    SigningScope,
    recognised_scope,
    signed_headers,
    signing_scope,
)

# AWS's "Signature Version 4 test suite" (aws-c-auth, tests/aws-signing-test-suite/v4).
SUITE_KEY = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
SUITE_TOKEN = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267"
SUITE_S = datetime.datetime(2015, 8, 30, 12, 36, tzinfo=datetime.timezone.utc).timestamp()
UNRESERVED = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
FORM = "application/x-www-form-urlencoded"
FORM_BODY = b"Param1=value1"
FORM_SHA256 = "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e"


def form_headers(content_type):
    return [
        ("Content-Type", content_type),
        ("Content-Length", "13"),
        ("X-Amz-Content-Sha256", FORM_SHA256),
    ]


def h(*values):
    return [("My-Header1", value) for value in values]


VANILLA = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
POST_QUERY = "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"
VECTORS = [
    ("get-vanilla", "GET", "/", [], VANILLA),
    ("get-relative-normalized", "GET", "/example/..", [], VANILLA),
    ("get-relative-relative-normalized", "GET", "/example1/example2/../..", [], VANILLA),
    ("get-slash-dot-slash-normalized", "GET", "/./", [], VANILLA),
    ("get-slash-normalized", "GET", "//", [], VANILLA),
    (
        "get-slash-pointless-dot-normalized",
        "GET",
        "/./example",
        [],
        "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5",
    ),
    (
        "get-slashes-normalized",
        "GET",
        "//example//",
        [],
        "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84",
    ),
    (
        "get-space-normalized",
        "GET",
        "/example space/",
        [],
        "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741",
    ),
    (
        "get-unreserved",
        "GET",
        "/" + UNRESERVED,
        [],
        "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
    ),
    (
        "get-utf8",
        "GET",
        "/ሴ",
        [],
        "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
    ),
    (
        "get-vanilla-empty-query-key",
        "GET",
        "/?Param1=value1",
        [],
        "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb",
    ),
    (
        "get-vanilla-query-order-encoded",
        "GET",
        "/?Param-3=Value3&Param=Value2&%E1%88%B4=Value1",
        [],
        "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac",
    ),
    (
        "get-vanilla-query-order-key-case",
        "GET",
        "/?Param2=value2&Param1=value1",
        [],
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ),
    (
        "get-vanilla-query-unreserved",
        "GET",
        f"/?{UNRESERVED}={UNRESERVED}",
        [],
        "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
    ),
    (
        "get-vanilla-utf8-query",
        "GET",
        "/?ሴ=bar",
        [],
        "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
    ),
    (
        "get-header-key-duplicate",
        "GET",
        "/",
        h("value2", "value2", "value1"),
        "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
    ),
    (
        "get-header-value-order",
        "GET",
        "/",
        h("value4", "value1", "value3", "value2"),
        "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01",
    ),
    (
        "get-header-value-trim",
        "GET",
        "/",
        [("My-Header1", " value1"), ("My-Header2", ' "a   b   c"')],
        "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
    ),
    (
        "post-vanilla",
        "POST",
        "/",
        [],
        "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    ),
    (
        "post-header-key-sort",
        "POST",
        "/",
        h("value1"),
        "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
    ),
    (
        "post-header-value-case",
        "POST",
        "/",
        h("VALUE1"),
        "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
    ),
    ("post-vanilla-query", "POST", "/?Param1=value1", [], POST_QUERY),
    (
        "post-x-www-form-urlencoded",
        "POST",
        "/",
        form_headers(FORM),
        "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
    ),
    (
        "post-x-www-form-urlencoded-parameters",
        "POST",
        "/",
        form_headers(FORM + "; charset=utf-8"),
        "328d1b9eaadca9f5818ef05e8392801e091653bafec24fcab71e7344e7f51422",
    ),
]


def target_of(path, host="example.amazonaws.com"):
    return Target(host=host, port=443, authority=host, path=path, tls=True)


def suite_credentials(token=""):
    return Credentials(
        access_key_id="AKIDEXAMPLE", secret_access_key=SUITE_KEY, session_token=token
    )


def signed_in_suite(method, path, headers, credentials):
    return dict(
        signed_headers(
            method=method,
            target=target_of(path),
            headers=headers,
            body=FORM_BODY if ("Content-Length", "13") in headers else b"",
            credentials=credentials,
            scope=SigningScope(service="service", region="us-east-1"),
            unix_s=SUITE_S,
        )
    )


@pytest.mark.parametrize(
    ("method", "path", "headers", "signature"),
    [vector[1:] for vector in VECTORS],
    ids=[vector[0] for vector in VECTORS],
)
def test_vector_of_aws(method, path, headers, signature):
    """Each case of AWS's suite that a request of ours could look like has AWS's signature."""
    found = signed_in_suite(method, path, headers, suite_credentials())

    assert found["Authorization"].endswith("Signature=" + signature)


def test_vector_with_a_session_token():
    """The token is sent, signed, and named among the signed headers."""
    found = signed_in_suite("GET", "/", [], suite_credentials(SUITE_TOKEN))

    assert found == {
        "X-Amz-Date": "20150830T123600Z",
        "X-Amz-Security-Token": SUITE_TOKEN,
        "Authorization": "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/"
        "aws4_request, SignedHeaders=host;x-amz-date;x-amz-security-token, "
        "Signature=07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8",
    }


TOKEN_CHARACTERS = UNRESERVED + "!#$&'*+^`|"
NAMES = st.text(TOKEN_CHARACTERS, min_size=1, max_size=12)
VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF), max_size=30).filter(
    lambda value: not any(0x7F <= ord(c) < 0xA0 for c in value)
)
SEGMENTS = st.text(UNRESERVED + "%:@!$&'()*+,;=", max_size=8)
# botocore takes a query as it stands, so it has to stand there in AWS's encoding.
MEMBERS = st.tuples(
    st.text(UNRESERVED, min_size=1, max_size=6), st.sampled_from(["", "v", "%20", "a%2Fb"])
)


@given(
    method=st.sampled_from(["GET", "POST", "PUT"]),
    segments=st.lists(SEGMENTS | st.sampled_from([".", ".."]), max_size=5),
    query=st.lists(MEMBERS, max_size=4, unique_by=lambda pair: pair[0]),
    headers=st.lists(st.tuples(NAMES, VALUES), max_size=5),
    body=st.binary(max_size=200),
    token=st.sampled_from(["", "FwoGZXIvYXdzE+/=="]),
    region=st.sampled_from(["eu-central-1", "us-gov-west-1"]),
    unix_s=st.integers(0, 4_000_000_000),
)
def test_as_botocore(method, segments, query, headers, body, token, region, unix_s):
    """Whatever the request, the Authorization is the one that botocore's SigV4Auth makes."""
    path = "/" + "/".join(segments)
    if query:
        path += "?" + "&".join([f"{name}={value}" for name, value in query])
    host = f"xray.{region}.amazonaws.com"
    found = signed_headers(
        method=method,
        target=target_of(path, host),
        headers=headers,
        body=body,
        credentials=Credentials(
            access_key_id="AKID", secret_access_key="secret/key", session_token=token
        ),
        scope=SigningScope(service="xray", region=region),
        unix_s=unix_s,
    )

    expected = botocore_authorization(method, host, path, headers, body, (token, region, unix_s))
    assert dict(found)["Authorization"] == expected


def botocore_authorization(method, host, path, headers, body, about):
    token, region, unix_s = about
    request = AWSRequest(method=method, url=f"https://{host}{path}", data=body)
    for name, value in headers:
        if name.lower() != "host":
            request.headers.add_header(name, value)
    moment = datetime.datetime.fromtimestamp(unix_s, datetime.timezone.utc)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.auth, "get_current_datetime", lambda *_a, **_k: moment)
        credentials = BotocoreCredentials("AKID", "secret/key", token or None)
        botocore.auth.SigV4Auth(credentials, "xray", region).add_auth(request)
    return request.headers["Authorization"]


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("xray.eu-central-1.amazonaws.com", ("xray", "eu-central-1")),
        ("logs.us-gov-west-1.amazonaws.com", ("logs", "us-gov-west-1")),
        ("monitoring.us-east-1.amazonaws.com", ("monitoring", "us-east-1")),
        ("logs.cn-north-1.amazonaws.com.cn", ("logs", "cn-north-1")),
        ("xray-fips.us-east-2.amazonaws.com", ("xray", "us-east-2")),
        ("xray.eu-west-1.api.aws", ("xray", "eu-west-1")),
        ("vpce-0a1b-2c3d.logs.us-east-1.vpce.amazonaws.com", ("logs", "us-east-1")),
        ("s3.eu-central-1.amazonaws.com", None),
        ("xray.amazonaws.com", None),
        ("xray.eu-central-1.amazonaws.com.example.com", None),
        ("xray.eu-central-1.example.com", None),
        ("evil.xray.eu-central-1.amazonaws.com", None),
        ("logs.example.amazonaws.com", None),
        ("otlp.example.com", None),
    ],
)
def test_host_names(host, expected):
    """AWS's OTLP endpoints are known by their names, and nothing else is taken for one."""
    scope = recognised_scope(host)

    assert (scope and (scope.service, scope.region)) == expected


def scope_of(url, signal="traces", headers=(), **environ):
    scope = signing_scope(environ, signal, parse_url(url), headers)
    return scope and (scope.service, scope.region)


XRAY = "https://xray.eu-central-1.amazonaws.com/v1/traces"


def test_signing_by_host_name_can_be_turned_off():
    """`off` turns it off for all signals, SIGNAL=off for one."""
    assert scope_of(XRAY) == ("xray", "eu-central-1")
    assert scope_of(XRAY, WRAPKIT_SIGV4="off") is None
    assert scope_of(XRAY, WRAPKIT_SIGV4="traces=off") is None
    assert scope_of(XRAY, WRAPKIT_SIGV4="logs=off") == ("xray", "eu-central-1")


def test_signing_elsewhere_is_by_signal():
    """Only the signal that the variable names is signed: no other backend sees the token."""
    setting = {"WRAPKIT_SIGV4": " traces = xray/eu-west-1 ,logs=logs", "AWS_REGION": "eu-north-1"}
    proxy = "https://proxy.example.com/v1/traces"

    assert scope_of(proxy, "traces", **setting) == ("xray", "eu-west-1")
    assert scope_of(proxy, "logs", **setting) == ("logs", "eu-north-1")
    assert scope_of(proxy, "metrics", **setting) is None


def test_an_authorization_of_the_user_wins():
    """A bearer token that the user set is not replaced by a signature."""
    assert scope_of(XRAY, headers=[("authorization", "Bearer x")]) is None


def test_no_token_in_the_clear(capsys, monkeypatch):
    """Without TLS a signature goes to this machine only, and the user is told."""
    monkeypatch.setattr(_report, "_said", set())

    assert scope_of(XRAY.replace("https", "http")) is None
    assert "not https" in capsys.readouterr().err
    assert scope_of("http://127.0.0.1:9/", WRAPKIT_SIGV4="traces=xray/eu-west-1")


@pytest.mark.parametrize("value", ["traces", "spans=xray", "traces=", "=xray"])
def test_a_malformed_setting_is_reported_without_its_value(value, capsys, monkeypatch):
    """What makes no sense counts as unset; one line names the variable."""
    monkeypatch.setattr(_report, "_said", set())

    assert scope_of(XRAY, WRAPKIT_SIGV4=value) == ("xray", "eu-central-1")
    said = capsys.readouterr().err
    assert said.startswith("wrapkit: WRAPKIT_SIGV4 ")
    assert "spans" not in said


def test_a_setting_without_any_region_is_not_signed(monkeypatch):
    """No region anywhere: no signature that AWS would refuse."""
    monkeypatch.setattr(_report, "_said", set())

    assert scope_of("https://proxy.example.com/", WRAPKIT_SIGV4="traces=xray") is None


def test_credentials_of_the_environment():
    """The three variables that Lambda sets; nothing without both halves of the key."""
    variables = {
        "AWS_ACCESS_KEY_ID": "ASIA",
        "AWS_SECRET_ACCESS_KEY": "s",
        "AWS_SESSION_TOKEN": "t",
    }
    found = environment_credentials(variables)

    assert (found.access_key_id, found.secret_access_key, found.session_token) == ("ASIA", "s", "t")
    assert found.are_fresh(1e15)
    assert environment_credentials({"AWS_ACCESS_KEY_ID": "ASIA"}) is None


def test_credentials_show_nothing():
    """Neither repr, str nor format shows any part of them."""
    credentials = suite_credentials(SUITE_TOKEN)
    shown = f"{credentials!r} {credentials} {[credentials]}"

    assert not any(part in shown for part in ("AKID", SUITE_KEY, SUITE_TOKEN))


def test_the_request_for_credentials():
    """Under SnapStart Lambda's local endpoint is asked, with its token."""
    target, request = credentials_request(
        {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9001/2024/credentials?a=b",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": "token",
        }
    )

    assert (target.host, target.port, target.tls) == ("127.0.0.1", 9001, False)
    assert request == (
        b"GET /2024/credentials?a=b HTTP/1.1\r\nHost: 127.0.0.1:9001\r\n"
        b"Accept: application/json\r\nAuthorization: token\r\n\r\n"
    )
    assert credentials_request({}) is None


def test_the_token_goes_to_no_stranger():
    """A plain address elsewhere is refused; one with TLS is the user's own affair."""
    with pytest.raises(ValueError, match="neither https nor on this machine"):
        credentials_request({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://example.com/"})
    assert credentials_request({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "https://example.com/"})


def test_the_answer_with_credentials():
    """They are to be asked for again ten minutes before they expire."""
    found = read_credentials(
        200,
        b'{"AccessKeyId": "ASIA", "SecretAccessKey": "s", "Token": "t",'
        b' "Expiration": "1970-01-01T01:00:00Z"}',
    )

    assert (found.access_key_id, found.secret_access_key, found.session_token) == ("ASIA", "s", "t")
    assert found.are_fresh(3_600_000 - REFRESH_MS - 1)
    assert not found.are_fresh(3_600_000 - REFRESH_MS)


@pytest.mark.parametrize(
    "answer",
    [
        SimpleNamespace(status=403, body=b"hunter2"),
        SimpleNamespace(status=200, body=b"hunter2"),
        SimpleNamespace(status=200, body=b'["hunter2"]'),
        SimpleNamespace(status=200, body=b'{"AccessKeyId": "hunter2"}'),
        SimpleNamespace(status=200, body=b'{"AccessKeyId": 1, "SecretAccessKey": "hunter2"}'),
        SimpleNamespace(
            status=200,
            body=b'{"AccessKeyId": "a", "SecretAccessKey": "hunter2", "Expiration": "hunter2"}',
        ),
    ],
)
def test_an_answer_without_credentials_is_not_quoted(answer):
    """Whatever came instead may hold a secret as well."""
    with pytest.raises(ValueError, match="endpoint") as caught:
        read_credentials(answer.status, answer.body)

    assert "hunter2" not in str(caught.value)
