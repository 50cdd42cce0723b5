"""The runner runs on whatever Python the function has."""

from __future__ import annotations

import pytest

from tests.architecture.interpreters import VERSIONS, interpreter


@pytest.mark.parametrize("version", VERSIONS)
def test_it_runs_on_every_python_that_a_function_may_have(scene, version):
    """Hook, telemetry, export and shutdown, every signal, without a line on stderr."""
    python = interpreter(version)
    if python is None:
        pytest.skip(f"no Python {version} on this machine")

    signals = {"WRAPKIT_METRICS": "true", "WRAPKIT_LOGS": "function"}
    scene.start(python=python, OTEL_EXPORTER_OTLP_COMPRESSION="gzip", **signals)
    scene.host.wait_for_next(1)
    scene.invoke_with_hook("r1")
    scene.host.wait_for_next(2)
    scene.host.invoke("r2")
    done = {"requestId": "r2", "status": "success", "metrics": {"durationMs": 1.5}}
    scene.host.report(
        ("platform.start", {"requestId": "r2"}),
        ("function", {"level": "INFO", "message": "told", "stock": [1, 2.5]}),
        ("platform.runtimeDone", done),
    )
    scene.host.wait_for_next(3)
    scene.host.shut_down()

    assert scene.runner.wait() == (0, [])
    assert len(scene.sink.spans()) == 2
    assert len(scene.sink.delivered("/v1/metrics")) == len(scene.sink.delivered("/v1/logs")) == 1
