"""Whatever comes in whatever order: nothing but lifecycle errors, and the promises hold."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lifecycle._host import Host
from wrapkit import lifecycle as core

EXTERNALS = ("a", "b")
NAMES = (*EXTERNALS, "hook", "")
REQUESTS = ("r1", "r2", "r3")

names = st.sampled_from(NAMES)
requests = st.sampled_from(REQUESTS)
error_types = st.sampled_from((None, "", "Extension.Broken", "Runtime.Broken", "x"))
statuses = st.sampled_from(("exit status 0", "exit status 1", "signal: killed"))
events = st.lists(st.sampled_from(("INVOKE", "INVOKE", "SHUTDOWN", "EVT")), max_size=3)


def calling(call, **fields):
    """A call by an extension, whose identifier is known only when it is made."""
    return st.tuples(st.just(call), names, st.fixed_dictionaries(fields))


# What moves an environment on, so that the rest finds it in every phase.
cooperative = st.one_of(
    st.sampled_from(
        ("become ready", "become ready", "runtime answers", "everybody calls next", "all die")
    ),
    st.builds(core.Invoke, request_id=requests),
    st.builds(core.Invoke, request_id=requests),
)
anything = st.one_of(
    st.integers(1, 12_000),
    calling(core.Register, events=events),
    calling(core.Next),
    calling(
        core.Subscribe,
        types=st.just(("platform",)),
        api=st.sampled_from(("Telemetry", "Telemetry", "Logs")),
    ),
    calling(core.ExtensionInitError, error_type=error_types),
    calling(core.ExtensionExitError, error_type=error_types),
    st.builds(core.Init),
    st.builds(core.Restore),
    st.builds(core.Shutdown, reason=st.sampled_from(("spindown", "failure", "x"))),
    st.builds(core.LaunchFailed, extension=names, reason=statuses),
    st.builds(core.ExtensionExited, extension=names, status=statuses),
    st.builds(core.RuntimeNext),
    st.builds(core.RuntimeResponse, request_id=requests),
    st.builds(core.RuntimeInvocationError, request_id=requests, error_type=error_types),
    st.builds(core.RuntimeResponseSent, request_id=requests, error_type=error_types),
    st.builds(core.RuntimeInitError, error_type=error_types),
    st.builds(core.RuntimeRestoreNext),
    st.builds(core.RuntimeRestoreError, error_type=error_types),
    st.builds(core.RuntimeExited, status=statuses),
)
steps = st.one_of(cooperative, cooperative, anything)


def snapshot(value):
    """All that an object of the core holds, except what belongs to the call being worked on."""
    if isinstance(value, (list, tuple)):
        return [snapshot(item) for item in value]
    if isinstance(value, dict):
        return {key: snapshot(item) for key, item in value.items()}
    slots = getattr(type(value), "__slots__", None)
    if slots is None or not type(value).__module__.startswith("wrapkit."):
        return value
    names = set(slots) - {"_now_ms", "_effects"}
    return {name: snapshot(getattr(value, name)) for name in names}


class Promises:
    """Follows the effects and holds the environment to what it promises."""

    def __init__(self, **settings):
        self.settings = settings
        self.begin()

    def begin(self):
        self.host = Host(*EXTERNALS, **self.settings)
        self.subscriptions = {}
        self.told = set()
        self.answers = {}
        self.has_runtime = False
        self.is_frozen = False
        self.running = set()

    def play(self, step):
        if self.host.environment.phase is core.Phase.ENDED:
            self.begin()
        if step == "become ready":
            self.let_all_die()
            self.try_event(core.Init())
            for name in EXTERNALS:
                self.try_call(core.Register, name, events=("INVOKE", "SHUTDOWN"))
            self.play("everybody calls next")
            self.try_event(core.RuntimeNext())
        elif step == "everybody calls next":
            for name in NAMES:
                self.try_call(core.Next, name)
        elif step == "runtime answers":
            request_id = self.host.environment.request_id or "r1"
            self.try_event(core.RuntimeResponse(request_id=request_id))
            self.try_event(core.RuntimeResponseSent(request_id=request_id))
            self.try_event(core.RuntimeNext())
        elif step == "all die":
            self.let_all_die()
        elif isinstance(step, int):
            self.check(self.host.wait(step))
            deadline_ms = self.host.environment.next_deadline_ms()
            assert deadline_ms is None or deadline_ms > self.host.now_ms
        elif isinstance(step, tuple):
            call, name, fields = step
            self.try_call(call, name, **fields)
        else:
            self.try_event(step)

    def try_call(self, call, name, **fields):
        if call is core.Register:
            fields = {**fields, "extension": name}
        self.try_event(call(identifier=self.host.id(name), **fields))

    def try_event(self, event):
        """Either it is taken, or nothing changes."""
        environment = self.host.environment
        before = snapshot(environment)
        try:
            effects = self.host.send(event)
        except core.LifecycleError:
            assert snapshot(environment) == before
            return
        if isinstance(event, core.RuntimeExited):
            self.has_runtime = False
        if isinstance(event, (core.ExtensionExited, core.LaunchFailed)):
            self.running.remove(event.extension)
        if isinstance(event, core.Register):
            assert event.identifier not in self.subscriptions
            self.subscriptions[event.identifier] = event.events
        self.check(effects)

    def check(self, effects):
        for effect in effects:
            self.check_one(effect)
            assert repr(self.host.environment)

    def check_one(self, effect):
        if isinstance(effect, core.Respond):
            assert effect.request_id not in self.answers
            self.answers[effect.request_id] = effect
        elif isinstance(effect, core.InvocationEnded):
            del self.answers[effect.request_id]  # it has been answered, once
        elif isinstance(effect, core.DeliverInvoke):
            assert "INVOKE" in self.subscriptions[effect.identifier]
        elif isinstance(effect, core.DeliverShutdown):
            assert "SHUTDOWN" in self.subscriptions[effect.identifier]
            assert effect.extension in self.running
            assert not self.has_runtime
            assert effect.identifier not in self.told
            self.told.add(effect.identifier)
        elif isinstance(effect, core.LaunchExtension):
            assert effect.extension not in self.running
            self.running.add(effect.extension)
        elif isinstance(effect, core.KillExtension):
            assert effect.extension in self.running
        elif isinstance(effect, core.StartRuntime):
            assert not self.has_runtime
            registered = {identifier[-2:] for identifier in self.subscriptions}
            assert {self.host.id(name)[-2:] for name in EXTERNALS} <= registered
            self.has_runtime = True
        elif isinstance(effect, (core.KillRuntime, core.TerminateRuntime)):
            assert self.has_runtime
        elif isinstance(effect, (core.Freeze, core.Thaw)):
            assert self.is_frozen is isinstance(effect, core.Thaw)
            self.is_frozen = not self.is_frozen
        elif isinstance(effect, (core.EnvironmentReset, core.EnvironmentEnded)):
            assert not self.has_runtime
            assert not self.running
            self.subscriptions.clear()
        elif isinstance(effect, core.Emit) and effect.type == "platform.report":
            metrics = effect.record["metrics"]
            charged_ms = metrics["durationMs"] + metrics.get("initDurationMs", 0.0)
            charged_ms += metrics.get("restoreDurationMs", 0.0)
            assert 0 <= charged_ms <= metrics["billedDurationMs"] < charged_ms + 1

    def let_all_die(self):
        """When a shutdown is under way, as the processes of one do in the end."""
        if self.host.environment.phase is not core.Phase.SHUTDOWN:
            return
        if self.has_runtime:
            self.try_event(core.RuntimeExited(status="signal: killed"))
        for name in sorted(self.running):
            self.try_event(core.ExtensionExited(extension=name, status="signal: killed"))

    def end(self):
        """Shuts down, lets every deadline pass and every killed process die."""
        if self.host.environment.phase is not core.Phase.ENDED:
            self.try_event(core.Shutdown())
        for _ in range(2):  # the runtime's deadline, then the extensions'
            deadline_ms = self.host.environment.next_deadline_ms()
            if deadline_ms is not None:
                self.check(self.host.wait(deadline_ms - self.host.now_ms))
        assert self.host.environment.next_deadline_ms() is None
        self.let_all_die()
        assert self.host.environment.phase is core.Phase.ENDED
        assert not self.answers


@settings(max_examples=100, deadline=None)
@given(
    st.lists(steps, min_size=20, max_size=60),
    st.sampled_from(("on-demand", "provisioned-concurrency", "snap-start")),
    st.sampled_from((core.AWS_PROFILE, core.RIE_PROFILE)),
)
def test_an_environment_keeps_its_promises(sequence, initialization_type, profile):
    """And it can always be shut down, to the last process and the last answer."""
    promises = Promises(initialization_type=initialization_type, profile=profile)
    for step in sequence:
        promises.play(step)
    promises.end()


session_steps = st.one_of(
    st.sampled_from(("register", "subscribe", "next", "next", "init_error", "exit_error")),
    st.builds(core.Registered, identifier=st.just("id")),
    st.builds(core.Subscribed, supported=st.booleans()),
    st.builds(core.Refused, error_type=st.just("E"), status=st.sampled_from((403, 500))),
    st.builds(core.InvokeEvent, request_id=requests, deadline_ms=st.integers(0, 100_000)),
    st.builds(core.ShutdownEvent, reason=st.text(), deadline_ms=st.integers(0, 100_000)),
    st.builds(core.PlatformRuntimeDone, request_id=requests),
    st.builds(core.HookEnd, request_id=requests),
    st.builds(core.Flushed),
    st.integers(1, 5000),
)
ARGUMENTS = {
    "register": (),
    "next": (),
    "subscribe": (("platform",),),
    "init_error": ("Extension.X",),
    "exit_error": ("Extension.X",),
}


@settings(max_examples=100, deadline=None)
@given(st.lists(session_steps, min_size=20, max_size=60))
def test_a_session_keeps_its_promises(sequence):
    """What it says can be done, and what it refuses changes nothing."""
    session = core.ExtensionSession(extension="otel")
    now_ms = 0.0
    for step in sequence:
        before, effects = snapshot(session), []
        try:
            if isinstance(step, int):
                now_ms += step
                effects = session.expire(now_ms)
            elif isinstance(step, str):
                getattr(session, step)(*ARGUMENTS[step])
            else:
                effects = session.receive(step, now_ms)
        except core.LocalLifecycleError:
            assert snapshot(session) == before
        deadline_ms = session.next_deadline_ms()
        if isinstance(step, int):
            assert deadline_ms is None or deadline_ms > now_ms
        remaining_ms = session.remaining_ms(now_ms)
        assert remaining_ms is None or remaining_ms >= 0
        if core.CallNext() in effects:
            assert session.may_call_next or session.state is not core.ExtensionState.RUNNING
        assert repr(session)
