"""`wrapkit template`: code that each tool's own checker takes, for functions of any name."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from functools import reduce
from operator import getitem

import hcl2
import pytest
from ruamel.yaml import YAML

from tests.architecture.tree import ROOT
from wrapkit.tooling._errors import DiagnosticError
from wrapkit.tooling.templates import FORMATS, CodeRequest, generate_code, statements
from wrapkit.tooling.templates._terraform import hcl
from wrapkit.tooling.wrapping import EXEC_WRAPPERS

from .conftest import ARN, BOUND_S, FOLDER

TRACES = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
XRAY = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://xray.eu-west-1.amazonaws.com/v1/traces"}
HOSTILE = {"OTEL_SERVICE_NAME": "${x} %{y} 'a' \"b\" # {c} : d\\ \n e"}
RUNTIMES = ("python3.12", "python3.13")
NAMES = ("orders", "my_billing-2")


def request(**fields):
    return CodeRequest(**{"functions": NAMES, "runtimes": RUNTIMES, "variables": XRAY, **fields})


def document(format_name, **fields):
    (text,) = generate_code(format_name, request(**fields)).values()
    return YAML(typ="rt").load(io.StringIO(text))


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("layer", ["build/wrapkit-layer.zip", ARN])
def test_every_format_names_layer_wrapper_and_permission(format_name, layer):
    text = "\n".join(generate_code(format_name, request(layer=layer)).values())

    assert layer in text
    assert "/opt/otel-handler" in text
    assert "xray:PutTraceSegments" in text
    assert all(name in text for name in NAMES)


def test_what_counts_as_wrapkits_own_wrapper_is_the_same_everywhere():
    """The names are written out in the code of other languages."""
    code = [
        *generate_code("terraform", request()).values(),
        *generate_code("cdk", request()).values(),
    ]

    for name in EXEC_WRAPPERS:
        assert sum(f"/opt/{name}" in text for text in code) >= 2


@pytest.mark.parametrize("format_name", FORMATS)
def test_nothing_is_allowed_that_is_not_needed(format_name):
    endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": "https://otlp.example.com"}
    text = "\n".join(generate_code(format_name, request(variables=endpoint)).values())

    assert "xray:" not in text
    assert "aws_iam_role_policy" not in text


@pytest.mark.parametrize("format_name", ["sam", "cloudformation", "serverless"])
def test_hostile_values_stay_what_they_are(format_name):
    """YAML's quoting is the library's; here it is read back."""
    read = document(format_name, variables=HOSTILE)
    paths = {
        "sam": ["Globals", "Function", "Environment", "Variables"],
        "cloudformation": ["Resources", "Orders", "Properties", "Environment", "Variables"],
        "serverless": ["provider", "environment"],
    }
    variables = reduce(getitem, paths[format_name], read)

    value = variables["OTEL_SERVICE_NAME"]

    # The Serverless Framework takes the backslash off.
    assert value.replace("\\${", "${") == HOSTILE["OTEL_SERVICE_NAME"]


def test_a_name_that_is_none_is_refused():
    with pytest.raises(DiagnosticError, match="no name of a function"):
        generate_code("sam", request(functions=("a b",)))


@pytest.mark.parametrize("format_name", ["cloudformation", "sam"])
def test_names_that_differ_in_signs_alone_are_functions_each(format_name):
    """And none takes the place of the layer, or of another's role."""
    names = ("a-b", "a_b", "aB", "a-b-role", "wrapkit-layer")
    (text,) = generate_code(format_name, CodeRequest(names)).values()
    resources = YAML().load(text)["Resources"].values()

    functions = [each for each in resources if each["Type"].endswith("::Function")]
    assert [each["Properties"]["FunctionName"] for each in functions] == list(names)
    assert sum("LayerVersion" in each["Type"] for each in resources) == 1


def test_sam_attaches_to_all_functions_by_globals():
    template = document("sam")

    assert template["Globals"]["Function"]["Layers"][0].value == "WrapkitLayer"
    assert list(template["Resources"]) == ["WrapkitLayer", "Orders", "MyBilling2"]


@pytest.mark.parametrize(
    ("variables", "actions"),
    [
        ({}, []),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "https://otlp.example.com"}, []),
        (XRAY, ["xray:PutTraceSegments"]),
        (
            {
                "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "https://monitoring.x.amazonaws.com/v1/metrics",
                "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "https://logs.x.amazonaws.com/v1/logs",
            },
            ["cloudwatch:PutMetricData", "logs:PutLogEvents"],
        ),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "https://xray.eu-west-1.amazonaws.com.evil.org"}, []),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "https://[xray.x.amazonaws.com"}, []),
        ({"WRAPKIT_EXPORTER_AWS_ENDPOINT": XRAY[TRACES]}, ["xray:PutTraceSegments"]),
        ({"OTHER_ENDPOINT": XRAY[TRACES]}, []),
    ],
)
def test_permissions_are_those_of_the_endpoints(variables, actions):
    assert [action for each in statements(variables) for action in each["Action"]] == actions


def test_the_log_group_that_the_exporter_names_is_the_one_that_is_allowed():
    (statement,) = statements(
        {
            "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "https://logs.eu-west-1.amazonaws.com/v1/logs",
            "OTEL_EXPORTER_OTLP_LOGS_HEADERS": "x-aws-log-group=%2Fmy%2Fgroup,x-aws-log-stream=s",
        }
    )

    assert statement["Resource"] == "arn:aws:logs:*:*:log-group:/my/group:*"


def test_secrets_in_headers_may_be_read_and_no_others():
    """As the extension resolves them: by name, or by ARN."""
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:backend-AbCdEf"
    allowed = statements(
        {
            "OTEL_EXPORTER_OTLP_HEADERS": "a=${secretsmanager:token#key},b=T%20${ssm:/my/token}",
            "WRAPKIT_EXPORTER_OTHER_HEADERS": f"a=${{secretsmanager:{arn}}}",
            "PASSWORD": "${ssm:not-a-header}",
        }
    )

    assert [(each["Action"][0], each["Resource"]) for each in allowed] == [
        ("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:*:*:secret:token-??????"),
        ("secretsmanager:GetSecretValue", arn),
        ("ssm:GetParameter", "arn:aws:ssm:*:*:parameter/my/token"),
    ]


def test_the_serverless_framework_leaves_references_to_the_extension():
    """Its own variables have the same form; a backslash says that this is none."""
    variables = {"OTEL_EXPORTER_OTLP_HEADERS": "a=${ssm:token}"}

    assert (
        document("serverless", variables=variables)["provider"]["environment"][
            "OTEL_EXPORTER_OTLP_HEADERS"
        ]
        == "a=\\${ssm:token}"
    )


@pytest.mark.slow
def test_cfn_lint_and_the_sam_translator_accept_the_templates(cfn_lint, tmp_path):
    paths = []
    for format_name in ("sam", "cloudformation"):
        for name, layer in (("zip", "build/wrapkit-layer.zip"), ("arn", ARN)):
            path = tmp_path / f"{format_name}-{name}.yaml"
            path.write_text(generate_code(format_name, request(layer=layer))["template.yaml"])
            paths.append(path)

    cfn_lint(*paths)


@pytest.fixture
def module(tmp_path):
    """Terraform's files in a folder."""
    for name, text in generate_code("terraform", request(variables={**XRAY, **HOSTILE})).items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_an_hcl_parser_reads_what_was_meant(module):
    parsed = hcl2.loads((module / "wrapkit.tf").read_text())
    resources = [kind.strip('"') for block in parsed["resource"] for kind in block]
    (called,) = parsed["module"]
    arguments = next(iter(called.values()))

    assert resources == ["aws_lambda_layer_version", "aws_iam_role_policy"]
    assert {"source", "for_each", "layer_arn", "layers", "variables"} <= arguments.keys()
    assert hcl2.loads((module / "wrapkit/main.tf").read_text())["output"]


def test_terraforms_own_templates_are_not_evaluated():
    assert hcl("${x} %{y} $") == '"$${x} %%{y} $"'


def terraform(folder, *arguments):
    if not shutil.which("terraform"):
        pytest.skip("no terraform on this machine, and no package registry has it")
    return subprocess.run(
        ["terraform", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=BOUND_S,
    )


def test_terraform_would_format_nothing(module):
    done = terraform(module, "fmt", "-check", "-recursive")

    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.slow
def test_the_terraform_module_merges(module):
    """`terraform test` of the module alone, which has no provider."""
    shutil.copy(FOLDER / "wrapkit.tftest.hcl", module / "wrapkit")
    assert terraform(module / "wrapkit", "init").returncode == 0
    done = terraform(module / "wrapkit", "test", "-no-color")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 passed, 0 failed" in done.stdout


@pytest.fixture(scope="session")
def cdk_modules():
    """aws-cdk-lib of npm, kept under build/ for the next run."""
    if not shutil.which("npm"):
        pytest.skip("no npm on this machine")
    folder = ROOT / "build/npm-cdk"
    if not (folder / "node_modules/aws-cdk-lib/package.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        packages = ["aws-cdk-lib@2", "constructs@10"]
        subprocess.run(
            [
                "npm",
                "install",
                "--no-audit",
                "--no-fund",
                "--no-save",
                "--prefix",
                folder,
                *packages,
            ],
            check=True,
            capture_output=True,
            timeout=300,
        )
    return folder / "node_modules"


@pytest.mark.slow
def test_the_aspect_attaches_when_the_cdk_synthesizes(cdk_modules, tmp_path, cfn_lint):
    """app.synth() under plain node, and cfn-lint over what comes out."""
    (tmp_path / "layer.zip").write_bytes(b"PK\x05\x06" + bytes(18))
    code = generate_code("cdk", request(functions=("my-function",), layer="layer.zip"))
    (tmp_path / "wrapkit.js").write_text(code["wrapkit.js"])
    shutil.copy(FOLDER / "cdk_app.js", tmp_path)
    (tmp_path / "node_modules").symlink_to(cdk_modules)
    done = subprocess.run(
        ["node", "cdk_app.js", "out"], cwd=tmp_path, capture_output=True, text=True, timeout=BOUND_S
    )
    assert done.returncode == 0, done.stderr
    template = json.loads((tmp_path / "out/Shop.template.json").read_text())
    by_kind = {}
    for name, resource in template["Resources"].items():
        by_kind.setdefault(resource["Type"], {})[name] = resource["Properties"]
    functions = {
        name.rstrip("0123456789ABCDEF"): properties
        for name, properties in by_kind["AWS::Lambda::Function"].items()
    }
    (layer,) = by_kind["AWS::Lambda::LayerVersion"]

    assert functions["Plain"]["Layers"] == [{"Ref": layer}]
    assert functions["Orders"]["Layers"] == [
        ARN.replace("wrapkit-python:3", "mine:1"),
        {"Ref": layer},
    ]
    assert functions["Orders"]["Environment"]["Variables"] == {
        "AWS_LAMBDA_EXEC_WRAPPER": "/opt/otel-handler",
        "WRAPKIT_CHAIN": "/opt/datadog_wrapper",
        "TABLE": "orders",
        **XRAY,
    }
    assert "Layers" not in functions["Site"]
    policies = [
        each["PolicyDocument"]["Statement"] for each in by_kind["AWS::IAM::Policy"].values()
    ]
    assert [p[0]["Action"] for p in policies] == ["xray:PutTraceSegments"] * 2
    # W3005: the CDK itself names dependencies twice.
    cfn_lint(tmp_path / "out/Shop.template.json", ignored=["W3005"])


def test_the_command_writes_files_and_replaces_none_by_itself(tmp_path):
    def run(*options):
        command = [sys.executable, "-m", "wrapkit.tooling.cli", "template", "--format", "terraform"]
        return subprocess.run(
            [*command, "--output", "out", *options],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=BOUND_S,
        )

    first = run("orders")
    again = run("orders")
    other = run("billing")
    forced = run("billing", "--force")

    assert (first.returncode, again.returncode, forced.returncode) == (0, 0, 0), first.stderr
    assert (other.returncode, "is there already, and differs" in other.stderr) == (2, True)
    assert '"billing"' in (tmp_path / "out/wrapkit.tf").read_text()
