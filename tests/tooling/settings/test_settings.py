"""`wrapkit.toml` is read by the schema, and what it does not know is refused with its line."""

from __future__ import annotations

import sys

import pytest

from wrapkit.payload import _env_resource
from wrapkit.tooling._errors import DiagnosticError
from wrapkit.tooling.settings import FILE_NAME, SETTINGS, find_settings, read_settings

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@pytest.fixture
def settings(tmp_path):
    """Call with the file's text: what it says."""

    def read(text):
        path = tmp_path / FILE_NAME
        path.write_text(text)
        return read_settings(path)

    return read


def refusal(settings, text):
    with pytest.raises(DiagnosticError) as refused:
        settings(text)
    assert refused.value.exit_code == 2
    return refused.value.message


def test_a_file(settings):
    """Each value becomes the text of its variable, as the variable is written by hand."""
    read = settings(
        """
        layer = { mode = "internal", python = ["3.12"] }
        service.name = "orders"

        [service.attributes]
        "deployment.environment.name" = "blue, green; 100 %"

        [metrics]
        enabled = true
        interval-ms = 30000

        [logs]
        export = ["function", "extension"]
        """
    )

    assert read.get("layer.python") == ["3.12"]
    assert read.get("layer.output") is None
    assert read.variables == {
        "WRAPKIT_MODE": "internal",
        "OTEL_SERVICE_NAME": "orders",
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=blue%2C%20green%3B%20100%20%25",
        "WRAPKIT_METRICS": "true",
        "OTEL_METRIC_EXPORT_INTERVAL": "30000",
        "WRAPKIT_LOGS": "function,extension",
    }
    assert _env_resource.resource_attributes(read.variables) == {
        "deployment.environment.name": "blue, green; 100 %"
    }


def test_no_file(tmp_path):
    """Without a file nothing is set."""
    assert find_settings(tmp_path).variables == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[traces]\n\nexportr = 'none'", ":3: unknown key traces.exportr; did you mean"),
        ("[trace]\nexporter = 'none'", ":1: unknown table or key trace; did you mean traces"),
        ("[traces]\ncompression = 'gzip'", ":2: unknown key traces.compression; did you mean otlp"),
        ("nonsense = 1", ":1: unknown table or key nonsense"),
        ("[traces]\nexporter = 'jaeger'", ':2: traces.exporter is not one of "otlp", "console"'),
        ("[otlp]\ntimeout-ms = true", ":2: otlp.timeout-ms is not a whole number from 1 to 900000"),
        ("[otlp]\ntimeout-ms = 0", ":2: otlp.timeout-ms is not a whole number from 1 to 900000"),
        ("[otlp]\nendpoint = 'example.com'", ":2: otlp.endpoint is not an http:// or https:// URL"),
        ("[otlp]\nendpoint = 'https://a:b@c'", "a layer is no place for them"),
        ("[otlp]\nheaders = 'a=b'", ":2: unknown key otlp.headers"),
        ("[logs]\nexport = ['platform']", ":2: logs.export is not a list of function, extension"),
        ("[logs]\nexport = 'function'", ":2: logs.export is not a list of function, extension"),
        ('[service]\nname = "a\\u0007"', ":2: service.name is not a text of one line"),
        ("[service.attributes]\n'a=b' = 'c'", ":1: service.attributes is not a table of texts"),
        ("layer = 5", ":1: unknown table or key layer"),
        ("[layer\n", "cannot read"),
        ("[sdk]\ndisabled = 'yes'", ":2: sdk.disabled is not true or false"),
    ],
)
def test_what_is_refused(settings, text, said):
    """An unknown key, a wrong value, and what is no TOML: with the line, and what may be meant."""
    assert said in refusal(settings, text)


def test_all_mistakes_are_told_at_once(settings):
    """Whoever mends one mistake is not told of the next by another run."""
    message = refusal(settings, "[layer]\nmod = 1\n[otlp]\nendpoint = 2\n")

    assert [line.partition(FILE_NAME)[2][:3] for line in message.splitlines()] == [":2:", ":4:"]


def test_every_example_is_a_value():
    """What `wrapkit init` writes as an example is valid, for every key."""
    for setting in SETTINGS:
        value = tomllib.loads(f"x = {setting.kind.example}")["x"]
        assert isinstance(setting.kind.text(value), str)


def test_keys_and_variables_are_distinct():
    """No setting is said twice."""
    for names in ([s.key for s in SETTINGS], [s.variable for s in SETTINGS]):
        known = [name for name in names if name]
        assert len(known) == len(set(known))
