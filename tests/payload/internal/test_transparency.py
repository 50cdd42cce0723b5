"""A function cannot tell the hook from its absence: each run is compared with the bare one."""

from __future__ import annotations

import sys

import pytest

OWN = "{}.{}".format(*sys.version_info[:2])
VERSIONS = ("3.10", "3.11", "3.12", "3.13", "3.14")

# All in one process, one after the other.
EVENTS = [
    {"do": "echo", "headers": {"Traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01"}},
    {"do": "state"},
    {"do": "fail", "order": "7 \ud83d\ude00"},
    {"do": "chain"},
    {"do": "chatter"},
    {"do": "unmarshallable"},
    {"do": "no_such_thing"},
    {"do": "no_parameters"},
    b"{not json",
    b"[1, 2]",
    b"null",
    {"do": "forked"},
    {"do": "echo", "headers": "of no shape", "multiValueHeaders": [1]},
    {"do": "state"},
]


@pytest.mark.parametrize("version", VERSIONS)
def test_results_errors_logs_and_surroundings(compared, version):
    """Whatever an invocation does and sees is the same, on every Python that Lambda has."""
    run = compared(version, "app.handler", EVENTS)

    assert len(run.posts) == len(EVENTS)
    assert run.results[2]["errorType"] == "OrderError"


@pytest.mark.parametrize("version", VERSIONS)
def test_an_exception_that_ends_the_process(compared, version):
    """Its traceback on stderr shows no frame of wrapkit's."""
    run = compared(version, "app.handler", [{"do": "stop"}])

    assert (run.exit_code, run.posts) == (1, [])
    assert b"StopFunction: by the function" in run.stderr
    assert b"launch.py" not in run.stderr


@pytest.mark.parametrize(
    ("event", "exit_code"),
    [
        ({"do": "leave", "code": 0}, 0),
        ({"do": "leave", "code": 3}, 3),
        ({"do": "leave", "code": "a reason"}, 1),
        ({"do": "vanish", "code": 5}, 5),
        ({"do": "interrupt"}, -2),
    ],
    ids=str,
)
def test_exit_codes(compared, event, exit_code):
    """A function that ends its own process leaves with the code that it chose."""
    assert compared(OWN, "app.handler", [event]).exit_code == exit_code


@pytest.mark.parametrize(
    "handler",
    [
        "app.missing",
        "nowhere.handler",
        "nodot",
        "sys.exit",
        "raising.handler",
        "exiting.handler",
        "app.not_callable",
        "app.no_parameters",
        "marshalling.handler",
    ],
)
@pytest.mark.parametrize("events", [["plain", "refused"]], ids=[""])
def test_handlers(compared, handler, events):
    """A handler that cannot be found, loaded or called fails as it would without wrapkit."""
    compared(OWN, handler, events)


def test_a_syntax_error_in_the_function(compared, tmp_path):
    """The report of a module that does not parse is the runtime client's, to the letter."""
    (tmp_path / "app.py").write_text("def handler(:\n")

    run = compared(OWN, "app.handler", task=tmp_path)

    assert run.results[0]["errorType"] == "Runtime.UserCodeSyntaxError"


def test_a_function_that_brings_its_own_runtime_client(compared, runtimes, tmp_path):
    """The function's version of a library wins over the runtime's, the client's own included."""
    (tmp_path / "simplejson").symlink_to(runtimes(OWN).folder / "simplejson")
    (tmp_path / "app.py").write_text(
        "import simplejson\ndef handler(event, context): return simplejson.__file__\n"
    )

    run = compared(OWN, "app.handler", [{}], task=tmp_path)

    assert run.results == [f"{tmp_path}/simplejson/__init__.py"]


@pytest.mark.parametrize(
    "environ",
    [
        {"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "DEBUG"},
        {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"},
        {"PYTHONPATH": "/somewhere", "PYTHONOPTIMIZE": "1"},
        {"WRAPKIT_MODE": "external"},
        {"A": "$(touch x) `id` 'q' \"d\"\n* \\", "EMPTY": ""},
    ],
    ids=lambda environ: next(iter(environ)),
)
def test_variables(compared, environ):
    """No variable is changed, whatever is in it, and each has the effect that it would have."""
    events = [{"do": "state"}, {"do": "fail", "order": "1"}]

    run = compared(OWN, "app.handler", events, environ=environ)

    assert environ.items() <= run.results[0]["environ"].items()


def test_safe_path(compared, runtimes):
    """With PYTHONSAFEPATH no folder is put in front of `sys.path`."""
    environ = {"PYTHONSAFEPATH": "1", "PYTHONPATH": str(runtimes(OWN).folder)}

    compared(OWN, "app.handler", [{"do": "state"}], environ=environ)


def test_development_mode(compared):
    """With all of Python's warnings on there is none about wrapkit when the process ends."""
    environ = {"PYTHONDEVMODE": "1"}

    run = compared(OWN, "app.handler", [{"do": "leave", "code": 3}], environ=environ)

    assert (run.exit_code, run.stderr) == (3, b"")


def test_nobody_listens(runtimes, layers, tmp_path):
    """Without a runner the function runs as ever, and one line says that nothing is recorded."""
    runtime = runtimes(OWN)
    environ = {"WRAPKIT_SOCKET": str(tmp_path / "none")}
    events = [{"do": "echo"}, {"do": "fail", "order": "1"}]

    bare = runtime.run_bare("app.handler", events, environ=environ)
    wrapped = runtime.run_wrapped(layers("both"), "app.handler", events, environ=environ)

    assert wrapped.posts == bare.posts
    lines = set(wrapped.stderr.splitlines()) - set(bare.stderr.splitlines())
    assert [line.startswith(b"wrapkit: invocations are not recorded") for line in lines] == [True]


def test_descriptors(runtimes, layers, runner_socket):
    """One socket is added, which no child of the function inherits."""
    runtime = runtimes(OWN)
    environ = {"WRAPKIT_SOCKET": runner_socket.getsockname()}
    events = [{"do": "descriptors"}, {"do": "descriptors"}]

    bare = runtime.run_bare("app.handler", events, environ=environ).results
    wrapped = runtime.run_wrapped(layers("both"), "app.handler", events, environ=environ).results

    assert wrapped[0] == wrapped[1]
    for descriptor in bare[0]:
        wrapped[0].remove(descriptor)
    assert wrapped[0] == [["socket", False]]


def test_modules(runtimes, layers, runner_socket):
    """When the function is imported, all that wrapkit has loaded are its own few modules."""
    runtime = runtimes(OWN)
    environ = {"WRAPKIT_SOCKET": runner_socket.getsockname()}

    bare = runtime.run_bare("app.handler", [{"do": "modules"}], environ=environ).results[0]
    wrapped = runtime.run_wrapped(
        layers("both"), "app.handler", [{"do": "modules"}], environ=environ
    ).results[0]

    assert set(wrapped) - set(bare) == {
        "_wrapkit",
        "_wrapkit.payload",
        "_wrapkit.payload._env",
        "_wrapkit.payload._invocation",
        "_wrapkit.payload._report",
        "_wrapkit.payload._span",
        "_wrapkit.payload.internal",
        "_wrapkit.payload.internal._datagrams",
        "_wrapkit.payload.internal._hook",
        "_wrapkit.payload.internal._launch",
        "_wrapkit.payload.internal._on_import",
        "_wrapkit.payload.internal._patches",
        "_wrapkit.payload.internal.libraries",
    }
    assert set(bare) <= set(wrapped)
