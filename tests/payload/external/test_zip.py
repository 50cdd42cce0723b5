"""The runner as one file: for runtimes that get it with an interpreter of its own."""

from __future__ import annotations

import sys
import zipfile

import pytest

from tests.architecture.interpreters import interpreter


@pytest.fixture
def archive(layer, tmp_path):
    """A folder with the runner's modules, and nothing else, in a zip archive."""
    with zipfile.ZipFile(tmp_path / "runner.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.write(layer / "runner.py", "__main__.py")
        for source in sorted((layer / "_wrapkit").rglob("*.py")):
            file.write(source, source.relative_to(layer))
    return tmp_path


@pytest.mark.parametrize("version", ["3.8", "{}.{}".format(*sys.version_info)])
def test_it_runs_from_an_archive(scene, archive, version):
    """Spans, forwarding with compression, logs, metrics: no module looks for a file next to it."""
    python = interpreter(version)
    if python is None:
        pytest.skip(f"no Python {version} on this machine")
    scene.layer = archive
    scene.start(
        script="runner.zip",
        python=python,
        OTEL_EXPORTER_OTLP_COMPRESSION="gzip",
        WRAPKIT_METRICS="true",
        WRAPKIT_LOGS="function",
    )
    scene.host.wait_for_next(1)
    scene.invoke_with_hook("r1")
    scene.host.wait_for_next(2)
    scene.host.report(("function", "a line\n"))
    scene.host.shut_down()

    assert scene.runner.wait() == (0, [])
    assert len(scene.sink.spans()) == 1
    assert len(scene.sink.delivered("/v1/metrics")) == len(scene.sink.delivered("/v1/logs")) == 1
