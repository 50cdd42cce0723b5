"""`wrapkit generate`: what it writes, what it refuses, and that it never writes a half."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from importlib.util import MAGIC_NUMBER

import pytest

from wrapkit import __version__
from wrapkit.tooling._errors import DiagnosticError
from wrapkit.tooling.wrapping import EXEC_WRAPPERS, MODES, _layer, generate_layer

OWN = "{}.{}".format(*sys.version_info[:2])
TIMEOUT_S = 120


def wrapkit(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-c", "from wrapkit.tooling.cli import main; main()", *arguments],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        **options,
    )


def generate(*arguments, **options):
    return wrapkit("generate", "--lang", "python", *map(str, arguments), **options)


def contents(folder):
    """Each file's path, mode and bytes."""
    return {
        str(path.relative_to(folder)): (stat.S_IMODE(path.stat().st_mode), path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }


def entries(folder):
    """What is there besides the copied modules and byte code."""
    return {path for path in contents(folder) if not path.startswith("wrapkit/_wrapkit/")}


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """Each mode's folder."""
    root = tmp_path_factory.mktemp("layers")
    for mode in MODES:
        generate_layer("python", root / mode, mode=mode, versions=(OWN,))
    return root


BUNDLE = f"wrapkit/init-{MAGIC_NUMBER.hex()}.bundle"
HOOK = {*EXEC_WRAPPERS, "wrapkit/launch.py", BUNDLE}
EXTENSION = {"extensions/wrapkit", "wrapkit/runner.py"}


@pytest.mark.parametrize(
    ("mode", "expected"), [("both", HOOK | EXTENSION), ("internal", HOOK), ("external", EXTENSION)]
)
def test_each_mode_has_what_it_needs(generated, mode, expected):
    """The picture of /opt, and of the payload only the processes that run."""
    folder = generated / mode
    payload = folder / "wrapkit/_wrapkit/payload"

    assert entries(folder) == expected | {"wrapkit/wrapkit.json"}
    assert (payload / "internal/_hook.py").exists() == (mode != "external")
    assert (payload / "external/_runner.py").exists() == (mode != "internal")
    assert (folder / "wrapkit/_wrapkit/lifecycle/__init__.py").exists()
    assert not list(folder.rglob("*.toml"))
    assert not (payload / "launch.py").exists()


def test_what_is_executable(generated):
    """The two scripts that Lambda starts; all is readable for the user that Lambda runs as."""
    modes = {path: mode for path, (mode, _) in contents(generated / "both").items()}

    executable = {path for path, mode in modes.items() if mode == 0o755}
    assert executable == {*EXEC_WRAPPERS, "extensions/wrapkit"}
    assert set(modes.values()) == {0o755, 0o644}
    for folder in [generated / "both", *(generated / "both").rglob("*/")]:
        if folder.is_dir():
            assert stat.S_IMODE(folder.stat().st_mode) & 0o055 == 0o055


def test_the_description(generated):
    """wrapkit.json says what was generated."""
    assert json.loads((generated / "internal/wrapkit/wrapkit.json").read_text()) == {
        "wrapkit": __version__,
        "language": "python",
        "mode": "internal",
        "python": [OWN],
        "instrumentation": [],
    }


def test_the_modules_are_copies(generated):
    """Byte for byte, and importable without wrapkit; the generated front knows version and mode."""
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import _wrapkit, _wrapkit.payload.internal._direct, _wrapkit.lifecycle as core\n"
        "core.MessageReader\n"
        "assert not [name for name in sys.modules if name.startswith('wrapkit')]\n"
        "module = _wrapkit.payload.internal._direct\n"
        "file = module.direct_export.__code__.co_filename\n"
        "print(_wrapkit.__version__, _wrapkit.DEFAULTS['WRAPKIT_MODE'], file)\n"
    )
    folder = generated / "internal/wrapkit"

    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script, str(folder)],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )

    own_file = f"{folder}/_wrapkit/payload/internal/_direct.py"
    assert done.stdout.split() == [__version__, "internal", own_file], done.stderr


def test_the_byte_code_is_used(generated):
    """Each module has byte code that is taken without a look at the source."""
    package = generated / "both/wrapkit/_wrapkit"

    for source in package.rglob("*.py"):
        [compiled] = source.parent.glob(f"__pycache__/{source.stem}.cpython-*.pyc")
        flags = int.from_bytes(compiled.read_bytes()[4:8], "little")
        assert flags == 0b01  # PEP 552: hash-based, not checked
        assert str(generated).encode() not in compiled.read_bytes()


def test_the_same_bytes_again(tmp_path, monkeypatch):
    """Neither the place, the time, the umask nor the hash seed has a part in it."""
    first = generate_layer("python", tmp_path / "first")
    before = os.umask(0o077)
    try:
        monkeypatch.setenv("PYTHONHASHSEED", "7")
        generate_layer("python", tmp_path / "elsewhere/second", versions=tuple(first.interpreters))
    finally:
        os.umask(before)

    assert contents(tmp_path / "first") == contents(tmp_path / "elsewhere/second")


def test_what_the_user_is_told(tmp_path):
    """What was written on stdout, and what to do with it on stderr."""
    done = generate("--output", tmp_path / "layer", "--python", OWN)

    assert done.returncode == 0
    assert f"byte code for Python {OWN} by " in done.stdout
    assert "AWS_LAMBDA_EXEC_WRAPPER=/opt/otel-handler" in done.stderr
    assert "no byte code for Python " in done.stderr


def test_json(tmp_path):
    """`--json` says the same to a program."""
    done = generate("--output", tmp_path / "layer", "--python", OWN, "--json", "--mode", "external")

    record = json.loads(done.stdout)
    assert (record["mode"], record["version"], list(record["python"])) == (
        "external",
        __version__,
        [OWN],
    )
    sizes = {path: len(data) for path, (_, data) in contents(tmp_path / "layer").items()}
    assert record["files"] == sizes
    assert done.stderr == ""


def test_a_folder_of_its_own_is_replaced(tmp_path):
    """Generating again leaves nothing of the first time."""
    output = tmp_path / "layer"
    generate_layer("python", output, versions=(OWN,))
    (output / "stale").touch()

    generate_layer("python", output, mode="internal", versions=(OWN,))

    assert entries(output) == HOOK | {"wrapkit/wrapkit.json"}
    assert list(tmp_path.iterdir()) == [output]


def test_an_empty_folder_and_a_link_to_one(tmp_path):
    """Both are written to; a link stays a link."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")

    generate_layer("python", tmp_path / "link", versions=(OWN,))

    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real/otel-handler").exists()


def test_a_foreign_folder(tmp_path):
    """It is left as it is, unless it is to be replaced by force."""
    output = tmp_path / "notes"
    output.mkdir()
    (output / "todo").write_text("milk")

    refused = generate("--output", output)
    assert refused.returncode == 2
    assert "is not empty and was not written by wrapkit" in refused.stderr
    assert "hint: " in refused.stderr
    assert entries(output) == {"todo"}

    assert generate("--output", output, "--python", OWN, "--force").returncode == 0
    assert "todo" not in entries(output)


@pytest.mark.parametrize("output", [".", "..", "sub/..", "~"])
def test_folders_that_are_never_replaced(tmp_path, output):
    """The current folder, those around it and the home folder, not even by force."""
    work = tmp_path / "outer/work"
    (work / "sub").mkdir(parents=True)
    home = tmp_path / "home"
    home.mkdir()
    (home / "file").touch()
    output = str(home) if output == "~" else output

    done = generate("--output", output, "--force", cwd=work, env={**os.environ, "HOME": str(home)})

    assert done.returncode == 2
    assert "never replaced" in done.stderr
    assert (work / "sub").exists()
    assert (home / "file").exists()


@pytest.mark.parametrize(
    ("arguments", "exit_code", "words"),
    [
        (["--lang", "cobol"], 2, "known languages: python"),
        (["--lang", "python", "--mode", "fast"], 2, "'fast'"),
        (["--lang", "python", "--python", "three"], 2, "'three'"),
        (["--lang", "python", "--python", "3.99"], 1, "no Python 3.99 was found"),
        (["--lang", "python", "--output", "file"], 2, "is not a folder"),
        (["--lang", "python", "--output", "file/layer"], 1, "cannot write"),
        (["--lang", "python", "--output", "/proc/wrapkit/layer"], 1, "cannot write"),
        ([], 2, "--lang"),
    ],
    ids=str,
)
def test_wrong_usage(tmp_path, arguments, exit_code, words):
    """Each mistake has its words and its exit code, no traceback, and leaves nothing behind."""
    (tmp_path / "file").touch()
    if "--output" not in arguments:
        arguments = [*arguments, "--output", "layer"]

    done = wrapkit("generate", *arguments, cwd=tmp_path)

    assert done.returncode == exit_code, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize(
    "failure", [DiagnosticError("x", "y"), KeyboardInterrupt(), OSError("full")]
)
def test_a_failure_on_the_way(tmp_path, monkeypatch, old, failure):
    """What was there before is there still, or nothing."""
    output = tmp_path / "layer"
    if old:
        generate_layer("python", output, versions=(OWN,))
    before = contents(output)

    def fail(*arguments):
        raise failure

    monkeypatch.setattr(_layer, "compile_packages", fail)
    with pytest.raises((DiagnosticError, KeyboardInterrupt)):
        generate_layer("python", output, mode="internal", versions=(OWN,))

    assert contents(output) == before
    assert list(tmp_path.iterdir()) == ([output] if old else [])


def test_a_second_rename_that_fails(tmp_path, monkeypatch):
    """The old folder comes back."""
    output = tmp_path / "layer"
    generate_layer("python", output, versions=(OWN,))
    before = contents(output)
    rename = os.rename

    def refuse_new(source, target):
        if str(source).endswith("/new"):
            raise PermissionError(13, "Permission denied")
        rename(source, target)

    monkeypatch.setattr(os, "rename", refuse_new)
    with pytest.raises(DiagnosticError, match="Permission denied"):
        generate_layer("python", output, versions=(OWN,))

    assert contents(output) == before
    assert list(tmp_path.iterdir()) == [output]


def test_ctrl_c(tmp_path):
    """A real signal while it compiles leaves no folder, no scratch and no child."""
    slow = tmp_path / "bin/python3.99"
    slow.parent.mkdir()
    slow.write_text(
        '#!/bin/sh\ncase "$*" in *-I*) echo 3.99 ;; *) : >"$0.started"; exec sleep 60 ;; esac\n'
    )
    slow.chmod(0o755)
    command = [sys.executable, "-c", "from wrapkit.tooling.cli import main; main()", "generate"]
    command += ["--lang", "python", "--output", str(tmp_path / "work/layer"), "--python", "3.99"]
    environ = {**os.environ, "PATH": f"{slow.parent}:{os.environ['PATH']}"}

    with subprocess.Popen(command, env=environ, stderr=subprocess.PIPE) as process:
        wait_for(slow.with_name("python3.99.started"))
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=TIMEOUT_S)

    assert process.returncode == 130
    assert b"Traceback" not in stderr
    assert [path.name for path in tmp_path.iterdir()] == ["bin"]


def wait_for(path):
    deadline = time.monotonic() + TIMEOUT_S
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} never appeared"
        time.sleep(0.01)
