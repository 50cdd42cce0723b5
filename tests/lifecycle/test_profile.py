"""Where AWS's runtime interface emulator differs from the platform, a profile says so."""

import pytest

from tests.lifecycle._host import Host, kinds, the
from wrapkit import lifecycle as core


def rie(*extensions, **settings):
    return Host(*extensions, profile=core.RIE_PROFILE, **settings)


def test_the_emulators_init_has_no_limit():
    host = rie()
    host.send(core.Init())
    assert host.environment.next_deadline_ms() is None
    assert host.wait(60_000) == []


def test_the_emulators_timeout_looks_like_a_response():
    host = rie().init()
    host.invoke()
    answer = the(core.Respond, host.wait(3000))
    assert answer == core.Respond(
        request_id="r1",
        outcome=core.PLATFORM_TEXT,
        error_type="Sandbox.Timedout",
        message="Task timed out after 3.00 seconds",
    )


@pytest.mark.parametrize(
    ("profile", "share_ms", "reasons"),
    [
        (core.AWS_PROFILE, 300, {"timeout": "timeout", "failure": "failure"}),
        (core.RIE_PROFILE, 600, {"timeout": "Timeout", "failure": "ReleaseFail"}),
    ],
)
def test_the_shutdown_of_each(profile, share_ms, reasons):
    """How long the runtime has, and what the extensions are told."""
    for how, reason in reasons.items():
        host = Host("otel", profile=profile).init()
        host.invoke()
        if how == "timeout":
            host.wait(3000)
            assert host.environment.next_deadline_ms() == host.now_ms + share_ms
        host.runtime_exits()
        effects = host.next("otel")
        assert the(core.DeliverShutdown, host.effects).reason == reason, effects


@pytest.mark.parametrize(
    "settings", [{"profile": core.RIE_PROFILE}, {"profile": core.AWS_PROFILE, "freezes": False}]
)
def test_without_a_freeze_nothing_stands_still(settings):
    host = Host(**settings).init()
    host.invoke()
    host.respond()
    host.runtime_next()
    assert host.phase == "Idle"
    assert not host.environment.is_frozen
    assert {"Freeze", "Thaw"}.isdisjoint(kinds(host.effects))
