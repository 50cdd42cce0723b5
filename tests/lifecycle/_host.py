"""A host without processes: an environment, a manual clock, and a record of all its effects."""

from wrapkit import lifecycle as core

BEGIN_MS = 1_700_000_000_000.0


def uuid_of(name, generation=0):
    """A UUID that tells one name from another."""
    return f"{generation:08x}-0000-4000-8000-{name.encode().hex()[:12].rjust(12, '0')}"


class Host:
    def __init__(self, *extensions, function_timeout_ms=3000, **settings):
        self.environment = core.Environment(
            extensions=extensions, function_timeout_ms=function_timeout_ms, **settings
        )
        self.extensions = extensions
        self.now_ms = BEGIN_MS
        self.effects = []
        self.generation = 0

    def send(self, event, after_ms=1):
        """Receives an event a moment later; returns what it led to."""
        self.now_ms += after_ms
        return self._log(self.environment.receive(event, self.now_ms))

    def wait(self, ms):
        """Lets time pass; returns what it led to."""
        self.now_ms += ms
        return self._log(self.environment.expire(self.now_ms))

    def _log(self, effects):
        self.effects += effects
        self.generation += core.EnvironmentReset() in effects
        return effects

    def id(self, name):
        return uuid_of(name, self.generation)

    def register(self, name, *events):
        return self.send(core.Register(extension=name, events=events, identifier=self.id(name)))

    def next(self, name, after_ms=1):
        return self.send(core.Next(identifier=self.id(name)), after_ms)

    def runtime_next(self, after_ms=1):
        return self.send(core.RuntimeNext(), after_ms)

    def become_ready(self):
        """The processes' part of an initialisation, internals left out."""
        for name in self.extensions:
            self.register(name, "INVOKE", "SHUTDOWN")
        for name in self.extensions:
            self.next(name)
        return self.runtime_next()

    def init(self):
        self.send(core.Init())
        self.become_ready()
        return self

    def invoke(self, request_id="r1", after_ms=1):
        return self.send(core.Invoke(request_id=request_id), after_ms)

    def respond(self, request_id="r1", **sent):
        self.send(core.RuntimeResponse(request_id=request_id))
        return self.send(core.RuntimeResponseSent(request_id=request_id, **sent))

    def runtime_exits(self, status="signal: killed", **more):
        return self.send(core.RuntimeExited(status=status, **more))

    def extension_exits(self, name, status="exit status 0"):
        return self.send(core.ExtensionExited(extension=name, status=status))

    def records(self, record_type):
        return records(self.effects, record_type)

    @property
    def phase(self):
        return self.environment.phase.value


def records(effects, record_type):
    """The telemetry records of one type among these effects."""
    return [
        effect.record
        for effect in effects
        if isinstance(effect, core.Emit) and effect.type == record_type
    ]


def kinds(effects):
    """The effects by name, telemetry by its type."""
    return [
        effect.type if isinstance(effect, core.Emit) else type(effect).__name__
        for effect in effects
    ]


def the(kind, effects):
    """The one effect of this kind."""
    (found,) = [effect for effect in effects if isinstance(effect, kind)]
    return found
