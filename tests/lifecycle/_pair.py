"""An environment and its extensions' sessions back to back: no process, no socket, no clock."""

from tests.lifecycle._host import Host
from wrapkit import lifecycle as core


class Pair:
    """Extensions that play by the rules, in an environment that plays by the rules.

    The runtime is played by the test. ``stopped`` holds the extensions that ended by themselves,
    ``flushes`` who flushed while the environment was not frozen.
    """

    def __init__(self, *extensions, **settings):
        self.host = Host(*extensions, **settings)
        self.sessions = {}
        self.flushes = []
        self.stopped = []
        self.is_flushing_slow = False

    @property
    def environment(self):
        return self.host.environment

    def send(self, event, after_ms=1):
        effects = self.host.send(event, after_ms)
        self._follow(effects)
        return effects

    def wait(self, ms):
        """Lets time pass for everybody, in the order of their deadlines."""
        end_ms = self.host.now_ms + ms
        while True:
            due = [d for d in (self._next_deadline_ms(),) if d is not None and d <= end_ms]
            step_ms = max(0.0, (due[0] if due else end_ms) - self.host.now_ms)
            self._follow(self.host.wait(step_ms))
            for name, session in list(self.sessions.items()):
                self._obey(name, session.expire(self.host.now_ms))
            if not due:
                return

    def _next_deadline_ms(self):
        deadlines = [self.environment.next_deadline_ms()]
        deadlines += [session.next_deadline_ms() for session in self.sessions.values()]
        return min((d for d in deadlines if d is not None), default=None)

    def hook_ends(self, request_id):
        for name, session in list(self.sessions.items()):
            event = core.HookEnd(request_id=request_id)
            self._obey(name, session.receive(event, self.host.now_ms))

    def respond(self, request_id):
        """The runtime's part of an invocation, hook included."""
        self.hook_ends(request_id)
        self.send(core.RuntimeResponse(request_id=request_id))
        self.send(core.RuntimeResponseSent(request_id=request_id))
        self.send(core.RuntimeNext())

    def _follow(self, effects):
        for effect in effects:
            if isinstance(effect, core.LaunchExtension):
                self._launch(effect.extension)
            elif isinstance(effect, core.DeliverInvoke):
                event = core.InvokeEvent(
                    request_id=effect.request_id, deadline_ms=effect.deadline_ms
                )
                self._tell(effect.extension, event)
            elif isinstance(effect, core.DeliverShutdown):
                event = core.ShutdownEvent(reason=effect.reason, deadline_ms=effect.deadline_ms)
                self._tell(effect.extension, event)
            elif isinstance(effect, core.KillExtension):
                self._exit(effect.extension, "signal: killed")
            elif isinstance(effect, (core.TerminateRuntime, core.KillRuntime)):
                self.send(core.RuntimeExited(status="signal: terminated"))

    def _launch(self, name):
        session = self.sessions[name] = core.ExtensionSession(extension=name)
        call = session.register()
        identifier = self.host.id(name)
        self.send(core.Register(extension=name, events=call.events, identifier=identifier))
        self._tell(name, core.Registered(identifier=identifier))
        self.send(session.subscribe(("platform",)))
        self._tell(name, core.Subscribed())
        self.send(session.next())

    def _tell(self, name, event):
        self._obey(name, self.sessions[name].receive(event, self.host.now_ms))

    def _obey(self, name, effects):
        for effect in effects:
            if isinstance(effect, core.Flush):
                assert not self.environment.is_frozen
                self.flushes.append(name)
                if not self.is_flushing_slow:
                    self._tell(name, core.Flushed())
            elif isinstance(effect, core.CallNext):
                self.send(self.sessions[name].next())
            elif isinstance(effect, core.Stop):
                self.stopped.append(name)
                self._exit(name, f"exit status {effect.exit_code}")

    def _exit(self, name, status):
        del self.sessions[name]
        self.send(core.ExtensionExited(extension=name, status=status))
