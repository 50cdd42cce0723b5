"""Both views back to back: what one sends is what the other takes."""

from tests.lifecycle._host import kinds
from tests.lifecycle._pair import Pair
from wrapkit import lifecycle as core


def started(*extensions, **settings):
    pair = Pair(*extensions, **settings)
    pair.send(core.Init())
    pair.send(core.RuntimeNext())
    return pair


def states_agree(pair):
    return all(
        pair.environment.extension_state(name) is session.state
        for name, session in pair.sessions.items()
    )


def test_a_life_from_init_to_spindown():
    """Each invocation is flushed within itself, and the shutdown ends every extension in time."""
    pair = started("a", "b")
    assert pair.environment.phase is core.Phase.IDLE
    for number in range(3):
        pair.send(core.Invoke(request_id=f"r{number}"))
        assert states_agree(pair)
        pair.respond(f"r{number}")
        assert pair.environment.phase is core.Phase.IDLE
        assert states_agree(pair)
    assert pair.flushes == ["a", "b"] * 3
    pair.send(core.Shutdown())
    assert pair.environment.phase is core.Phase.ENDED
    assert pair.stopped == ["a", "b"]
    assert "KillExtension" not in kinds(pair.host.effects)


def test_a_timeout_reaches_extensions_that_wait_for_the_functions_end():
    """They call next before the deadline, so SHUTDOWN finds them; the next invocation works."""
    pair = started("otel")
    pair.send(core.Invoke(request_id="r1"))
    pair.wait(3000)
    assert pair.stopped == ["otel"]
    assert pair.environment.phase is core.Phase.EMPTY
    assert "KillExtension" not in kinds(pair.host.effects)
    assert pair.host.records("platform.report")[0]["status"] == "timeout"
    pair.send(core.Invoke(request_id="r2"))
    pair.send(core.RuntimeNext())
    pair.respond("r2")
    assert pair.host.records("platform.report")[1]["status"] == "success"


def test_a_flush_that_hangs_does_not_make_the_function_time_out():
    """The extension lets go of it before the deadline."""
    pair = started("otel")
    pair.is_flushing_slow = True
    pair.send(core.Invoke(request_id="r1"))
    pair.respond("r1")
    assert pair.environment.phase is core.Phase.INVOKE
    pair.wait(3000)
    assert pair.environment.phase is core.Phase.IDLE
    assert pair.host.records("platform.report")[0]["status"] == "success"


def test_a_flush_that_hangs_does_not_outlive_the_shutdown():
    """The extension ends before it would be killed."""
    pair = started("otel")
    pair.is_flushing_slow = True
    pair.send(core.Shutdown())
    pair.wait(1500)
    assert pair.environment.phase is core.Phase.SHUTDOWN
    pair.wait(2000)
    assert pair.environment.phase is core.Phase.ENDED
    assert pair.stopped == ["otel"]
