"""`wrapkit generate` builds in what `wrapkit.toml` says, below the variables of a function."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from wrapkit.tooling.cli._main import run_command_line

OWN = "{}.{}".format(*sys.version_info[:2])


@pytest.fixture
def config(tmp_path, monkeypatch):
    """A file in the current folder's subfolder."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "project/wrapkit.toml"
    path.parent.mkdir()
    path.write_text(
        f'[layer]\nlanguage = "python"\noutput = "layer"\nmode = "internal"\npython = ["{OWN}"]\n'
        '[service]\nname = "orders"\n[otlp]\nendpoint = "http://127.0.0.1:9"\n'
    )
    return path


def variables(layer, **environ):
    """What wrapkit takes the variables for, in a process with that layer."""
    script = "import sys, json; sys.path.insert(0, sys.argv[1])\n"
    script += "from _wrapkit.payload._env import variables; print(json.dumps(dict(variables())))"
    done = [
        subprocess.run(
            [sys.executable, *flags, "-c", script, layer / "wrapkit"],
            env=environ,
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        ).stdout
        for flags in (["-I"], ["-I", "-S"])
    ]
    assert done[0] == done[1]
    return json.loads(done[0])


def test_a_layer_by_its_file(config, capsys):
    """All that the options say otherwise; the output is beside the file."""
    assert run_command_line(["generate", "--config", str(config)]) == 0

    layer = config.parent / "layer"
    said = capsys.readouterr()
    assert "mode internal" in said.out
    assert "settings from" in said.err
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" not in said.err
    known = variables(layer, OTEL_SERVICE_NAME="payments", WRAPKIT_MODE=" ", A="b")
    assert known["WRAPKIT_MODE"] == "internal"
    assert known["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://127.0.0.1:9"
    assert (known["OTEL_SERVICE_NAME"], known["A"]) == ("payments", "b")


def test_the_file_of_the_current_folder(config, monkeypatch):
    """It is found by its name, and an option wins over it."""
    monkeypatch.chdir(config.parent)

    assert run_command_line(["generate", "--mode", "external", "--output", "other"]) == 0

    layer = config.parent / "other"
    assert not (layer / "otel-handler").exists()
    assert variables(layer)["WRAPKIT_MODE"] == "external"


def test_a_file_with_a_mistake(config, capsys):
    """It is refused before anything is written."""
    config.write_text("[layer]\nmodee = 'both'\n")

    assert run_command_line(["generate", "--config", str(config)]) == 2
    assert "wrapkit.toml:2: unknown key layer.modee; did you mean" in capsys.readouterr().err
    assert not (config.parent / "layer").exists()
