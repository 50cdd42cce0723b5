"""Records of ``logging`` know their span where that is wanted."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("wanted", [True, False])
def test_log_correlation(under_wrapkit, tmp_path, wanted):
    """OTEL_PYTHON_LOG_CORRELATION adds the ids by OpenTelemetry's names, and nothing without it."""
    recorded = under_wrapkit(
        {"do": "logged"},
        handler="modules.handler",
        folder=tmp_path,
        OTEL_PYTHON_LOG_CORRELATION=str(wanted).lower(),
    )

    root = recorded.root
    ids = [root.trace_id, root.span_id, True, "orders"]
    assert recorded.result == (ids if wanted else [None] * 4)
