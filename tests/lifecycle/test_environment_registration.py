"""Who may register, subscribe and call next, and what is answered otherwise."""

import pytest

from tests.lifecycle._host import Host, uuid_of
from wrapkit import lifecycle as core


def refused(host, event):
    """Sends what must be refused, checks that nothing changed, and returns the refusal."""
    before = repr(host.environment), host.environment.next_deadline_ms()
    with pytest.raises(core.RemoteLifecycleError) as refusal:
        host.send(event)
    assert (repr(host.environment), host.environment.next_deadline_ms()) == before
    assert refusal.value.status == 403
    return refusal.value


def registering(host, name, *events):
    return core.Register(extension=name, events=events, identifier=host.id(name or "none"))


@pytest.fixture
def host():
    host = Host("otel")
    host.send(core.Init())
    return host


def test_an_empty_name_is_refused(host):
    assert refused(host, registering(host, "")).error_type == "Extension.InvalidExtensionName"


def test_an_unknown_event_is_refused_and_the_registration_can_be_repeated(host):
    refusal = refused(host, registering(host, "otel", "INVOKE", "EVT"))
    assert refusal.error_type == "Extension.InvalidEventType"
    assert "EVT" in refusal.message
    assert host.register("otel", "INVOKE") == [core.StartRuntime()]


def test_an_internal_extension_cannot_subscribe_to_shutdown(host):
    """A misspelt external is an internal, for the platform knows it by its name alone."""
    refusal = refused(host, registering(host, "otle", "INVOKE", "SHUTDOWN"))
    assert refusal.error_type == "Extension.InvalidEventType"
    assert "SHUTDOWN" in refusal.message


@pytest.mark.parametrize("name", ["otel", "hook"])
def test_a_second_registration_is_refused(host, name):
    host.register(name)
    refusal = refused(host, registering(host, name))
    assert refusal.error_type == "Extension.InvalidExtensionState"


def test_internal_registration_closes_with_the_runtimes_first_next(host):
    host.register("otel")
    host.register("early")
    host.runtime_next()
    refusal = refused(host, registering(host, "late"))
    assert refusal.error_type == "Extension.RegistrationClosed"


def test_registration_is_closed_without_an_init():
    host = Host("otel")
    assert refused(host, registering(host, "otel")).error_type == "Extension.RegistrationClosed"
    assert refused(host, registering(host, "hook")).error_type == "Extension.RegistrationClosed"


def test_an_external_cannot_register_during_the_shutdown(host):
    host.send(core.Shutdown(reason="spindown"))
    assert host.phase == "Shutdown"
    assert refused(host, registering(host, "otel")).error_type == "Extension.RegistrationClosed"


def test_an_external_that_registers_again_when_init_is_over_is_in_the_wrong_state():
    host = Host("otel").init()
    refusal = refused(host, registering(host, "otel"))
    assert refusal.error_type == "Extension.InvalidExtensionState"


def test_ten_extensions_are_enough(host):
    for number in range(9):
        host.register(f"hook{number}")
    refusal = refused(host, registering(host, "hook9"))
    assert refusal.error_type == "Extension.TooManyExtensions"
    assert "(10)" in refusal.message
    host.register("otel")


def test_events_may_be_missing_or_repeated(host):
    host.register("otel")
    host.register("hook", "INVOKE", "INVOKE")
    host.next("otel")
    host.next("hook")
    host.runtime_next()
    events = {record["name"]: record["events"] for record in host.records("platform.extension")}
    assert events == {"otel": [], "hook": ["INVOKE"]}


@pytest.mark.parametrize(
    ("identifier", "error_type"),
    [
        (None, "Extension.MissingExtensionIdentifier"),
        ("", "Extension.MissingExtensionIdentifier"),
        ("otel", "Extension.InvalidExtensionIdentifier"),
        ("zzzzzzzz-0000-0000-0000-000000000000", "Extension.InvalidExtensionIdentifier"),
        (uuid_of("nobody"), "Extension.UnknownExtensionIdentifier"),
    ],
)
@pytest.mark.parametrize(
    "call",
    [
        lambda identifier: core.Next(identifier=identifier),
        lambda identifier: core.ExtensionInitError(identifier=identifier, error_type="E.X"),
        lambda identifier: core.ExtensionExitError(identifier=identifier, error_type="E.X"),
        lambda identifier: core.Subscribe(identifier=identifier, types=("platform",)),
    ],
)
def test_every_call_needs_a_known_identifier(host, call, identifier, error_type):
    assert refused(host, call(identifier)).error_type == error_type


def test_a_second_next_is_refused_while_one_waits(host):
    host.register("otel")
    host.next("otel")
    refusal = refused(host, core.Next(identifier=host.id("otel")))
    assert refusal.error_type == "Extension.InvalidExtensionState"


def test_init_error_is_for_before_the_first_next_only(host):
    host.register("otel")
    host.next("otel")
    call = core.ExtensionInitError(identifier=host.id("otel"), error_type="Extension.X")
    assert refused(host, call).error_type == "Extension.InvalidExtensionState"


@pytest.mark.parametrize("call", [core.ExtensionInitError, core.ExtensionExitError])
def test_an_error_report_needs_its_type(host, call):
    host.register("otel")
    refusal = refused(host, call(identifier=host.id("otel"), error_type=None))
    assert refusal.error_type == "Extension.MissingHeader"


def test_telemetry_is_subscribed_to_during_init(host):
    host.register("otel")
    host.send(core.Subscribe(identifier=host.id("otel"), types=("platform", "function")))
    assert host.records("platform.telemetrySubscription") == [
        {"name": "otel", "state": "Subscribed", "types": ["platform", "function"]}
    ]


@pytest.mark.parametrize(
    ("first", "second", "error_type"),
    [("Telemetry", "Logs", "Logs.ValidationError"), ("Logs", "Telemetry", "ValidationError")],
)
def test_an_extension_subscribes_to_one_of_the_two_apis(host, first, second, error_type):
    """To that one as often as it likes; the other refuses it."""
    host.register("otel", "INVOKE")

    def subscribe(api):
        return host.send(core.Subscribe(identifier=host.id("otel"), types=("platform",), api=api))

    for _ in range(2):
        (emitted,) = subscribe(first)
        assert emitted.type == f"platform.{first.lower()}Subscription"
    with pytest.raises(core.RemoteLifecycleError) as refusal:
        subscribe(second)
    assert (refusal.value.status, refusal.value.error_type) == (400, error_type)


def test_telemetry_subscription_closes_with_init():
    host = Host("otel").init()
    call = core.Subscribe(identifier=host.id("otel"), types=("platform",))
    assert refused(host, call).error_type == "Telemetry.SubscriptionClosed"


def test_identifiers_are_void_after_a_reset():
    host = Host("otel").init()
    old = host.id("otel")
    host.extension_exits("otel")
    host.runtime_exits()
    assert host.phase == "Empty"
    refusal = refused(host, core.Next(identifier=old))
    assert refusal.error_type == "Extension.UnknownExtensionIdentifier"


@pytest.mark.parametrize("identifier", ["", "otel", uuid_of("hook")])
def test_the_driver_gives_each_extension_a_new_uuid(host, identifier):
    """Otherwise it could never be called by it."""
    host.register("hook")
    with pytest.raises(core.LocalLifecycleError, match="not a new UUID"):
        host.send(core.Register(extension="otel", events=(), identifier=identifier))


def test_the_driver_can_tell_extensions_apart(host):
    host.register("otel")
    assert host.environment.extension_name(host.id("otel")) == "otel"
    assert host.environment.extension_state("otel") is core.ExtensionState.REGISTERED
    with pytest.raises(KeyError):
        host.environment.extension_state("nobody")
    with pytest.raises(KeyError):
        host.environment.extension_name("nobody")


@pytest.mark.parametrize(
    "event",
    [
        core.ExtensionExited(extension="nobody", status="exit status 0"),
        core.LaunchFailed(extension="nobody", reason="gone"),
        core.RuntimeExited(status="exit status 0"),
        core.Flushed(),
    ],
)
def test_an_event_of_nobody_is_the_drivers_mistake(host, event):
    with pytest.raises(core.LocalLifecycleError):
        host.send(event)
