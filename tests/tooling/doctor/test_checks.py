"""What goes wrong in practice is found, from facts alone; and nothing is found where nothing is."""

from __future__ import annotations

import zipfile

import pytest

from wrapkit.tooling.attach import Attachment, FunctionConfiguration, LayerVersion, plan_attach
from wrapkit.tooling.attach._plan import as_configuration
from wrapkit.tooling.doctor import Facts, LayerFacts, check, check_folder
from wrapkit.tooling.doctor._surroundings import concrete, has_way_out
from wrapkit.tooling.layers import inspect_layer, read_picture

ARN = "arn:aws:lambda:eu-west-1:123456789012"
OURS = f"{ARN}:layer:wrapkit-python:1"
SCRIPT = b'#!/bin/sh\nexec "$@"\n'
ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "https://otlp.example.com"}
WRAPPER = "AWS_LAMBDA_EXEC_WRAPPER"


@pytest.fixture
def layer(tmp_path):
    """A layer with files (name -> mode), as doctor would have downloaded it."""

    def make(name="wrapkit-python:1", files=None, **version):
        path = tmp_path / f"{name.replace(':', '-')}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for file, mode in (files or {"otel-handler": 0o755}).items():
                entry = zipfile.ZipInfo(file)
                entry.external_attr = mode << 16
                archive.writestr(entry, SCRIPT)
        picture = read_picture(path)
        arn = f"{ARN}:layer:{name}"
        return LayerFacts(arn, LayerVersion(arn, **version), picture, inspect_layer(picture))

    return make


def function(layers=(OURS,), variables=None, **fields):
    fields = {"runtime": "python3.12", **fields}
    return FunctionConfiguration(
        "orders",
        f"{ARN}:function:orders",
        layers=tuple(layers),
        variables=variables or {},
        **fields,
    )


def attached(**fields):
    bare = function((), {**ENDPOINT}, **fields)
    return as_configuration(plan_attach(bare, Attachment(LayerVersion(OURS))))


def found(facts):
    return [finding.reference for finding in check(facts)]


def test_a_function_that_is_well_has_no_findings(layer):
    assert found(Facts(attached(), (layer(),))) == []


def test_a_wrapper_that_no_layer_has_is_an_error(layer):
    now = function(variables={WRAPPER: "/opt/missing", **ENDPOINT})

    assert found(Facts(now, (layer(),))) == ["wrapper-missing"]


def test_a_layer_that_could_not_be_seen_may_have_it(layer):
    now = function(variables={WRAPPER: "/opt/missing", **ENDPOINT})

    assert found(Facts(now, (LayerFacts(OURS, LayerVersion(OURS)),))) == []


@pytest.mark.parametrize(
    ("variables", "files", "expected"),
    [
        ({WRAPPER: "otel-handler"}, None, ["wrapper-missing"]),
        ({WRAPPER: "/opt/otel-handler"}, {"otel-handler": 0o644}, ["wrapper-not-executable"]),
        (
            {WRAPPER: "/opt/otel-handler", "WRAPKIT_CHAIN": "/opt/otel-handler"},
            None,
            ["wrapper-twice"],
        ),
        (
            {WRAPPER: "/opt/otel-handler", "WRAPKIT_CHAIN": "/opt/a:/var/task/b"},
            None,
            ["wrapper-missing"],
        ),
    ],
)
def test_wrappers_that_cannot_run(layer, variables, files, expected):
    facts = Facts(function(variables={**variables, **ENDPOINT}), (layer(files=files),))

    assert [each for each in found(facts) if each != "not-executable"] == expected


def test_a_runtime_that_honours_no_wrapper(layer):
    now = function(variables={WRAPPER: "/opt/otel-handler", **ENDPOINT}, runtime="provided.al2023")

    assert found(Facts(now, (layer(),))) == ["wrapper-not-honoured"]


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ({"architectures": ("arm64",)}, "wrong-architecture"),
        ({"runtimes": ("python3.9",)}, "other-runtime"),
        ({"byte_code": ("python3.11",)}, "no-byte-code"),
    ],
)
def test_a_layer_for_something_else(layer, version, expected):
    assert found(Facts(attached(), (layer(**version),))) == [expected]


def test_two_layers_with_one_wrapper(layer):
    facts = Facts(attached(), (layer("other:2"), layer()))

    assert found(facts) == ["two-of-a-kind"]


def test_a_handler_that_somebody_else_redirects_already(layer):
    facts = Facts(attached(handler="datadog_lambda.handler.handler"), (layer(),))

    assert found(facts) == ["handler-redirected"]
    assert "DD_LAMBDA_HANDLER" in check(facts)[0].hint


def test_nowhere_to_export_to(layer):
    now = function(variables={WRAPPER: "/opt/otel-handler"})

    assert found(Facts(now, (layer(),))) == ["no-endpoint"]
    assert found(Facts(now, (layer(),), built_in=ENDPOINT)) == []


def test_a_collector_that_wrapkit_has_taken_the_place_of(layer):
    local = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318"}
    now = function(variables={WRAPPER: "/opt/otel-handler", **local})

    assert found(Facts(now, (layer(),))) == ["exports-to-itself"]


def test_permissions_and_routes_that_are_missing(layer):
    facts = Facts(
        attached(role="arn:aws:iam::123456789012:role/orders"),
        (layer(),),
        denied_actions=("xray:PutTraceSegments",),
        subnets_without_route=("subnet-1",),
    )

    assert found(facts) == ["permission-missing", "no-route"]


@pytest.mark.parametrize(("timeout_s", "expected"), [(3, ["timeout-too-short"]), (30, [])])
def test_a_timeout_shorter_than_an_export_before_the_response(layer, timeout_s, expected):
    facts = Facts(attached(timeout_s=timeout_s), (layer(),), {"WRAPKIT_MODE": "internal"})

    assert found(facts) == expected


def test_what_was_changed_since_it_was_attached(layer):
    now = attached()
    changed = function(now.layers, {**now.variables, WRAPPER: "/opt/otel-instrument"})
    facts = Facts(changed, (layer(files={"otel-instrument": 0o755}),))

    assert found(facts) == ["drift"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*", "*"),
        (
            "arn:aws:secretsmanager:*:*:secret:token-??????",
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret:token-AbCdEf",
        ),
        (
            "arn:aws:logs:*:*:log-group:/my/group:*",
            "arn:aws:logs:eu-west-1:123456789012:log-group:/my/group:log-stream:wrapkit",
        ),
        ("arn:aws:ssm:us-east-1:1:parameter/x", "arn:aws:ssm:us-east-1:1:parameter/x"),
    ],
)
def test_what_iam_is_asked_about_is_one_resource(pattern, expected):
    """A pattern would be compared as it stands, and be denied to who is allowed one of it."""
    assert concrete(pattern, f"{ARN}:function:orders") == expected


MAIN = {"Associations": [{"Main": True}], "Routes": []}


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        ([], False),
        ([{"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local"}], False),
        ([{"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1"}], False),
        ([{"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1"}], True),
        ([{"DestinationCidrBlock": "0.0.0.0/0", "TransitGatewayId": "tgw-1"}], True),
        (
            [{"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "n", "State": "blackhole"}],
            False,
        ),
    ],
)
def test_a_way_to_the_internet(routes, expected):
    """Of the subnet's own table, or else of the main one."""
    own = {"Associations": [{"SubnetId": "subnet-1"}], "Routes": routes}

    assert has_way_out("subnet-1", [MAIN, own]) == expected
    assert has_way_out("subnet-2", [{**MAIN, "Routes": routes}]) == expected


def references(folder):
    return {finding.reference for finding in check_folder(folder)} - {"no-byte-code"}


def test_a_folder_is_looked_at_before_anything_is_deployed(tmp_path):
    """Settings, the layer that was built, and the functions of a template."""
    assert references(tmp_path) == {"no-settings"}

    (tmp_path / "wrapkit.toml").write_text("[otlp]\nendpont = 1\n")
    (tmp_path / "build").mkdir()
    (tmp_path / "build/wrapkit-layer.zip").write_bytes(b"nonsense")
    (tmp_path / "template.yaml").write_text(
        "Resources:\n"
        "  Orders:\n"
        "    Type: AWS::Lambda::Function\n"
        "    Properties:\n"
        "      Runtime: provided.al2023\n"
        "      Environment:\n"
        "        Variables:\n"
        "          AWS_LAMBDA_EXEC_WRAPPER: /opt/otel-handler\n"
        "          PASSWORD: hush\n"
    )
    findings = check_folder(tmp_path)

    assert references(tmp_path) == {
        "bad-settings",
        "layer-unreadable",
        "wrapper-not-honoured",
        "wrapper-missing",
    }
    assert not any("hush" in finding.message + finding.hint for finding in findings)
