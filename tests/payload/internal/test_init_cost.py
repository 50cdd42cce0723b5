"""What a function's cold start pays for, in units that are the same on every machine."""

from __future__ import annotations

import shutil

import pytest

from wrapkit.tooling.wrapping._layer import INIT_MODULES, LATER_MODULES, LATER_MODULES_OF

from .conftest import OWN
from .runtime_api import run_function
from .test_transparency import VERSIONS

# Unmarshalled at each start: some 10 us a KiB.
MAX_BUNDLE_BYTES = {"both": 85_000, "internal": 100_000}
# The shell reads its script and looks for the launcher; the interpreter looks for both of its own.
MAX_FILE_CALLS = 14
ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}


def module_name(path):
    return (
        "_wrapkit"
        if path == "__init__"
        else f"_wrapkit.{path.replace('/', '.')}".removesuffix(".__init__")
    )


@pytest.fixture
def loaded(runtimes, runner_socket):
    """Call with a layer: what of wrapkit's is loaded when the function is imported, and stderr."""
    environ = {"WRAPKIT_SOCKET": runner_socket.getsockname(), **ENDPOINT}

    def run(layer, version=OWN):
        done = runtimes(version).run_wrapped(
            layer, "app.handler", [{"do": "modules"}], environ=environ
        )
        names = {name for name in done.results[0] if name.partition(".")[0] == "_wrapkit"}
        return names, done.stderr

    return run


@pytest.mark.parametrize("mode", ["both", "internal"])
def test_the_bundle_holds_what_is_loaded(loaded, layers, mode):
    """No module is looked for at Init, and none is unpacked that is not used."""
    paths = (*INIT_MODULES, *LATER_MODULES, *LATER_MODULES_OF[mode])
    listed = {module_name(path) for path in paths}

    assert loaded(layers(mode))[0] == listed


@pytest.mark.parametrize("mode", ["both", "internal"])
def test_how_much_is_read(layers, mode):
    """The bundle of each Python is small."""
    sizes = [path.stat().st_size for path in layers(mode).glob("wrapkit/init-*.bundle")]

    assert sizes
    assert max(sizes) < MAX_BUNDLE_BYTES[mode]


@pytest.mark.parametrize("version", VERSIONS)
def test_how_often_files_are_asked_for(runtimes, layers, runner_socket, tmp_path, version):
    """Each call costs some microseconds: the wrapper, the launcher, one file of code."""
    if shutil.which("strace") is None:
        pytest.skip("no strace on this machine")
    runtime, layer = runtimes(version), layers("both")
    trace = tmp_path / "trace"
    calls = ["strace", "-f", "-e", "trace=%file", "-o", str(trace)]
    environ = {**runtime.environ("app.handler"), "WRAPKIT_SOCKET": runner_socket.getsockname()}

    run_function([*calls, str(layer / "otel-handler"), *runtime.command], environ, ())

    if not trace.exists() or not trace.stat().st_size:
        pytest.skip("tracing is not allowed here")
    lines = [line for line in trace.read_text().splitlines() if f'"{layer}' in line]
    opened = [line for line in lines if "open" in line.partition("(")[0]]
    assert len(lines) <= MAX_FILE_CALLS, "\n".join(lines)
    assert [line.split('"')[1].rpartition("/")[2][:5] for line in opened] == [
        "otel-",
        *(["launc"] * (len(opened) - 2)),
        "init-",
    ]


def without_bundles(layer, tmp_path):
    copy = shutil.copytree(layer, tmp_path / "layer")
    for bundle in copy.glob("wrapkit/init-*.bundle"):
        bundle.unlink()
    return copy


def test_a_python_that_has_no_bundle(loaded, layers, tmp_path):
    """Its modules are found one by one, to the same effect."""
    bundled = loaded(layers("both"))

    assert loaded(without_bundles(layers("both"), tmp_path)) == bundled


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\x80" * 1000])
def test_a_bundle_that_is_damaged(loaded, layers, tmp_path, content):
    """The function runs without wrapkit, and a line says so."""
    layer = without_bundles(layers("both"), tmp_path)
    for bundle in layers("both").glob("wrapkit/init-*.bundle"):
        (layer / "wrapkit" / bundle.name).write_bytes(content)

    names, stderr = loaded(layer)

    assert names == set()
    assert stderr.startswith(b"wrapkit: not started, ")
    assert stderr.count(b"\n") == 1


def test_modules_are_where_an_import_puts_them(runtimes, layers, tmp_path):
    """Files, packages and source lines are known, for whoever looks at a traceback."""
    (tmp_path / "app.py").write_text(
        "import inspect, sys\n"
        "def facts(module):\n"
        "    spec = module.__spec__\n"
        "    path = list(getattr(module, '__path__', []))\n"
        "    return [module.__name__, module.__file__, module.__package__, path, spec.name,\n"
        "        spec.origin, str(spec.parent), spec.has_location, type(spec.loader).__name__,\n"
        "        len(inspect.getsource(module)), spec.submodule_search_locations]\n"
        "def handler(event, context):\n"
        "    names = sorted(name for name in sys.modules if name.startswith('_wrapkit'))\n"
        "    return [facts(sys.modules[name]) for name in names if name != '_wrapkit._']\n"
    )
    layer = shutil.copytree(layers("both"), tmp_path / "layer")
    bundled = runtimes(OWN).run_wrapped(layer, "app.handler", [{}], task=tmp_path).results
    for bundle in layer.glob("wrapkit/init-*.bundle"):
        bundle.unlink()

    assert runtimes(OWN).run_wrapped(layer, "app.handler", [{}], task=tmp_path).results == bundled
