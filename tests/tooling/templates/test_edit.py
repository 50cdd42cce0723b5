"""Templates that are edited in place: nothing else changes, and what is added can be taken back."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from wrapkit.tooling._errors import DiagnosticError
from wrapkit.tooling.templates import (
    TemplateAttachment,
    added_lines,
    attach_template,
    detach_template,
)

from .conftest import ARN, BOUND_S, FOLDER

XRAY = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://xray.eu-west-1.amazonaws.com/v1/traces"}
ZIP = "build/wrapkit-layer.zip"
TEMPLATES = [("shop.yaml", ZIP), ("shop.yaml", ARN), ("plain.yaml", ARN)]


@pytest.fixture
def template(tmp_path):
    """A copy of one of the templates next to this file, or of a text."""

    def write(name_or_text):
        is_name = name_or_text.endswith(".yaml")
        content = (FOLDER / name_or_text).read_bytes() if is_name else name_or_text.encode()
        path = tmp_path / "template.yaml"
        path.write_bytes(content)
        return path

    return write


def attached(path, layer=ARN, patterns=(), **fields):
    edited = attach_template(path, TemplateAttachment(layer, **fields), patterns)
    path.write_bytes(edited.after.encode())
    return edited


def loaded(text):
    """The document, intrinsic functions as ruamel.yaml keeps them."""
    return YAML().load(text)


@pytest.mark.parametrize(("name", "layer"), TEMPLATES)
def test_detaching_gives_back_the_same_bytes(template, name, layer):
    path = template(name)
    before = path.read_bytes()
    attached(path, layer, variables=XRAY)

    assert path.read_bytes() != before
    assert detach_template(path).after.encode() == before


@pytest.mark.parametrize(("name", "layer"), TEMPLATES)
def test_attaching_twice_changes_nothing(template, name, layer):
    path = template(name)
    attached(path, layer, variables=XRAY)
    again = attach_template(path, TemplateAttachment(layer, variables=XRAY))

    assert again.after == again.before


@pytest.mark.parametrize("change", ["no last line end", "Windows", "comment at the end"])
def test_line_ends_are_those_of_the_template(template, change):
    text = (FOLDER / "plain.yaml").read_text()
    # The resources come last, so that what is added comes last as well.
    resources = text.index("Resources:")
    conditions = text.index("Conditions:")
    text = text[:resources] + text[conditions:] + text[resources:conditions]
    changed = {
        "no last line end": text.rstrip("\n"),
        "Windows": text.replace("\n", "\r\n"),
        "comment at the end": text + "\n\n# the end\n\n",
    }[change]
    path = template(changed)
    attached(path, variables=XRAY)
    after = path.read_bytes().decode()

    assert ("\n" in after.replace("\r\n", "")) == (change != "Windows")
    assert "WrapkitPolicy" in after
    assert detach_template(path).after == changed


def test_every_other_line_stays_and_every_new_one_is_marked(template):
    """Comments, order, indentation and intrinsic functions."""
    path = template("shop.yaml")
    before = path.read_text().splitlines()
    edited = attached(path, ZIP)
    new = {number for number, _ in added_lines(edited.after)}
    kept = [line for n, line in enumerate(edited.after.splitlines(), 1) if n not in new]
    gone = [line for line in before if line not in kept]

    assert [line for line in kept if "# wrapkit replaced: " not in line] == [
        line for line in before if line not in gone
    ]
    assert [line.split()[0] for line in gone] == ["AWS_LAMBDA_EXEC_WRAPPER:", "Layers:"]


def test_the_layer_comes_last_and_the_wrapper_is_chained(template):
    edited = attached(template("shop.yaml"), ZIP, variables={"OTEL_SERVICE_NAME": 'a "shop"'})
    resources = loaded(edited.after)["Resources"]
    orders, billing = (resources[name]["Properties"] for name in ("Orders", "Billing"))

    assert [str(getattr(layer, "value", layer)) for layer in orders["Layers"]][-1] == "WrapkitLayer"
    assert len(orders["Layers"]) == 3
    assert len(billing["Layers"]) == 2
    variables = orders["Environment"]["Variables"]
    assert variables["AWS_LAMBDA_EXEC_WRAPPER"] == "/opt/otel-handler"
    assert variables["WRAPKIT_CHAIN"] == "/opt/datadog_wrapper"
    assert variables["PASSWORD"] == "hush"
    assert variables["OTEL_SERVICE_NAME"] == 'a "shop"'
    assert "WRAPKIT_CHAIN" not in billing["Environment"]["Variables"]
    assert resources["WrapkitLayer"]["Properties"]["ContentUri"] == ZIP


def test_functions_of_other_runtimes_are_left_alone(template):
    edited = attached(template("shop.yaml"), ZIP)

    assert edited.functions == ("Orders", "Billing")
    assert edited.notes == ("Site is left as it is: nodejs24.x",)
    assert "Layers" not in loaded(edited.after)["Resources"]["Site"]["Properties"]


def test_functions_are_chosen_by_logical_id(template):
    edited = attached(template("shop.yaml"), ZIP, ("Bill*",))

    assert edited.functions == ("Billing",)


def test_aws_endpoints_are_allowed_and_nothing_else(template):
    """The policy is for the roles of the functions, be they SAM's own or named."""
    plain = attached(template("plain.yaml"), variables=XRAY)
    policy = loaded(plain.after)["Resources"]["WrapkitPolicy"]["Properties"]
    other = attached(template("plain.yaml"), variables={"OTEL_EXPORTER_OTLP_ENDPOINT": "https://x"})

    assert policy["PolicyDocument"]["Statement"] == [
        {"Effect": "Allow", "Action": ["xray:PutTraceSegments"], "Resource": "*"}
    ]
    assert [role.value for role in policy["Roles"]] == ["Role"]
    assert "WrapkitPolicy" not in other.after


def test_what_the_layer_has_built_in_is_allowed_too(template):
    edited = attached(template("shop.yaml"), ZIP, built_in=XRAY)

    assert "!Ref OrdersRole" in edited.after
    assert "OTEL_EXPORTER" not in edited.after


FUNCTION = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
"""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (FUNCTION + "      Layers: !Ref Theirs\n", "no list that could be added to"),
        (FUNCTION + "      Layers: [a,\n        b]\n", "over several lines"),
        (FUNCTION + "      Layers: [a, b, c, d, e]\n", "Lambda takes 5"),
        (FUNCTION + "      Environment: !Ref Theirs\n", "no mapping of variables"),
        (
            FUNCTION + "      Environment:\n        Variables: {A: b,\n          C: d}\n",
            "several lines",
        ),
        (
            FUNCTION + "      Environment: {Variables: {AWS_LAMBDA_EXEC_WRAPPER: /opt/x}}\n",
            "with an exec wrapper in it",
        ),
        ("Resources:\n  A:\n    Type: AWS::S3::Bucket\n", "no function of python"),
        (FUNCTION.replace("python3.12", "nodejs24.x"), "no function of python"),
        ("Resources: {}\n", "no mapping of Resources"),
        ('{"Resources": {"A": {}}}', "JSON is not edited in place"),
        ("a: [", "not YAML"),
        ("a: b\n---\nc: d\n", "one document in line 2, column 1: but found another"),
        ("", "no mapping of Resources"),
    ],
)
def test_what_cannot_be_edited_is_refused(template, text, message):
    path = template(text)
    with pytest.raises(DiagnosticError, match=message):
        attach_template(path, TemplateAttachment(ZIP))


def test_a_function_in_braces_stops_the_template_unless_the_others_are_named(template):
    braces = (
        "  Brief:\n    Type: AWS::Serverless::Function\n    Properties: {Runtime: python3.12}\n"
    )
    path = template(FUNCTION + braces)
    with pytest.raises(DiagnosticError, match="Brief: Properties is no mapping in block style"):
        attach_template(path, TemplateAttachment(ZIP))

    assert attach_template(path, TemplateAttachment(ZIP), ("Orders",)).functions == ("Orders",)


def test_a_plain_template_needs_a_published_layer(template):
    with pytest.raises(DiagnosticError, match="names the layer by its ARN"):
        attach_template(template("plain.yaml"), TemplateAttachment(ZIP))


@pytest.mark.slow
def test_cfn_lint_and_the_sam_translator_accept_the_result(cfn_lint, tmp_path):
    paths = []
    for number, (name, layer) in enumerate(TEMPLATES):
        path = tmp_path / f"{number}-{name}"
        path.write_bytes((FOLDER / name).read_bytes())
        attached(path, layer, variables=XRAY)
        paths.append(path)

    cfn_lint(*paths)


def run(folder, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "wrapkit.tooling.cli", *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=BOUND_S,
    )


@pytest.mark.parametrize(
    "environment",
    [
        "Environment: {Variables: {A: hush, B: !Ref C}}  # theirs",
        "Environment: { Variables: { } }",
        "Environment:\n        Variables: {A: hush}",
        "Environment:\n        Variables: {}",
    ],
)
def test_variables_in_braces_are_extended(template, environment):
    before = FUNCTION + f"      {environment}\n"
    path = template(before)
    command = ["attach", "--template", "template.yaml", "--layer", ARN, "--yes"]
    done = run(path.parent, *command)
    variables = loaded(path.read_text())["Resources"]["Orders"]["Properties"]["Environment"]

    assert done.returncode == 0, done.stderr
    assert "hush" not in done.stdout + done.stderr
    assert variables["Variables"]["AWS_LAMBDA_EXEC_WRAPPER"] == "/opt/otel-handler"
    assert ("A" in variables["Variables"]) == ("hush" in environment)
    assert detach_template(path).after == before


def test_the_values_of_variables_are_written_and_not_shown(template):
    path = template("shop.yaml")
    command = ["attach", "--template", "template.yaml", "--layer", ARN, "--yes"]
    done = run(path.parent, *command, "--env", "OTEL_EXPORTER_OTLP_HEADERS=key=hush-2")

    assert done.returncode == 0, done.stderr
    assert 'HEADERS: "key=hush-2"' in path.read_text()
    assert "hush-2" not in done.stdout + done.stderr
    assert "OTEL_EXPORTER_OTLP_HEADERS: (not shown)" in done.stdout
    assert "AWS_LAMBDA_EXEC_WRAPPER: /opt/otel-handler" in done.stdout


def test_the_commands_edit_the_file(template):
    """Without AWS, credentials or a region; and no value of the user's is shown."""
    path = template("shop.yaml")
    before = path.read_bytes()
    folder = Path(path.parent)
    dry = run(folder, "attach", "--template", "template.yaml", "--layer", ARN, "--dry-run")
    asked = run(folder, "attach", "--template", "template.yaml", "--layer", ARN)
    assert path.read_bytes() == before
    done = run(folder, "attach", "--template", "template.yaml", "--layer", ARN, "--yes", "--json")
    after = path.read_bytes()
    back = run(folder, "detach", "--template", "template.yaml", "--yes")

    assert (dry.returncode, asked.returncode) == (0, 2), dry.stderr + asked.stderr
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["functions"] == ["Orders", "Billing"]
    assert after != before
    assert back.returncode == 0, back.stderr
    assert path.read_bytes() == before
    assert "hush" not in dry.stdout + dry.stderr + done.stdout + back.stdout
