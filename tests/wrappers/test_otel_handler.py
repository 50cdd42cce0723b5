"""The exec wrapper in the shells that may be /bin/sh: what it makes of a command line."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from wrapkit.tooling.wrapping import EXEC_WRAPPERS, generate_layer

OWN = "{}.{}".format(*sys.version_info[:2])
WRAPPER = Path(__file__).parents[2] / "wrappers/python/otel-handler"
LAUNCH = object()
SHELLS = ("sh", "dash", "bash", "bash --posix")

HOSTILE = [
    "a b",
    "",
    "'",
    '"',
    "$(touch owned)",
    "`touch owned`",
    "*",
    "\n",
    "\\n",
    "-n",
    "\udcff",
    "é",
]

# Tells its arguments and its variables, the latter as they were handed over.
RECORDER = """#!/bin/sh
printf '%s\\0' "$@" end-of-arguments
cat "/proc/$$/environ"
"""


@pytest.fixture(params=SHELLS)
def shell(request):
    """The command of a shell, where the machine has it."""
    command = request.param.split()
    path = shutil.which(command[0])
    if path is None:
        pytest.skip(f"no {command[0]} on this machine")
    return [path, *command[1:]]


@pytest.fixture(params=["layer", "it's a $(layer) *\n"], ids=["plain", "hostile"])
def opt(request, tmp_path):
    """A layer with a launcher; its folder's name may be anything."""
    folder = tmp_path / request.param
    (folder / "wrapkit").mkdir(parents=True)
    (folder / "wrapkit/launch.py").touch()
    shutil.copy(WRAPPER, folder)
    return folder


@pytest.fixture
def task(tmp_path):
    """A folder with a recorder under each name that an interpreter may have, and a script."""
    folder = tmp_path / "task"
    folder.mkdir()
    for name in ("python", "python3", "python3.9", "python3.14", "node", "python2.7", "my python3"):
        (folder / name).write_text(RECORDER)
        (folder / name).chmod(0o755)
    (folder / "script.py").touch()
    (folder / "-dash.py").touch()
    (folder / "application").mkdir()
    return folder


@pytest.fixture
def wrap(shell, opt, task):
    """Call with a command line: the arguments and variables of what was run, and stderr."""

    def run(*command, environ=None):
        done = subprocess.run(
            [*shell, str(opt / "otel-handler"), *command],
            capture_output=True,
            cwd=task,
            env={"PATH": os.environ["PATH"], **(environ or {})},
            timeout=30,
        )
        assert done.returncode == 0, done.stderr
        arguments, _, environment = done.stdout.partition(b"end-of-arguments\0")
        words = [os.fsdecode(word) for word in arguments.split(b"\0")[:-1]]
        launch = str(opt / "wrapkit/launch.py")
        pairs = [os.fsdecode(pair).partition("=")[::2] for pair in environment.split(b"\0")[:-1]]
        return [LAUNCH if word == launch else word for word in words], dict(pairs), done.stderr

    return run


SCRIPT = "script.py"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([], [SCRIPT]),
        ([], [SCRIPT, "-X", "-m", "a"]),
        (["-E"], [SCRIPT]),
        (["-X", "frozen_modules=on"], [SCRIPT]),
        (["-Xdev", "-W", "-E", "-Wignore"], [SCRIPT, "a"]),
        (["-Es", "-uBX", "dev", "-OOI", "-PqRvSdb"], [SCRIPT]),
        (["--check-hash-based-pycs", "always"], [SCRIPT]),
        ([], ["-m", "awslambdaric", "app.handler"]),
        (["-u", "-X", "-m"], ["-m", "awslambdaric", "app.handler"]),
        ([], ["./script.py"]),
        (["-W", "$(touch owned)\n*"], [SCRIPT, *HOSTILE]),
    ],
    ids=lambda words: " ".join(words)[:30],
)
def test_where_the_launcher_goes(wrap, before, after):
    """Behind the interpreter and its options, in front of the script or the -m."""
    arguments, _, stderr = wrap("./python3.14", *before, *after)

    assert arguments == [*before, LAUNCH, *after]
    assert stderr == b""


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["-"],
        ["--", SCRIPT],
        ["--version"],
        ["-c", "print()", SCRIPT],
        ["-Ec", "print()"],
        ["-Im", "module"],
        ["-mmodule"],
        ["-m"],
        ["-X"],
        ["-V"],
        ["-i", SCRIPT],
        ["-x", SCRIPT],
        ["-Z", SCRIPT],
        ["-E", "--unknown", SCRIPT],
        ["-é", SCRIPT],
        ["missing.py"],
        ["application"],
        ["", SCRIPT],
        HOSTILE,
    ],
    ids=lambda words: " ".join(words)[:30],
)
def test_what_is_not_understood_is_left_alone(wrap, arguments):
    """A command line that may not be what it looks like runs as it is."""
    assert wrap("./python3", *arguments)[0] == arguments


@pytest.mark.parametrize(
    ("command", "is_python"),
    [
        ("./python", True),
        ("./python3.9", True),
        ("python3", True),
        ("./node", False),
        ("./python2.7", False),
        ("./my python3", False),
    ],
)
def test_which_commands_are_python(wrap, task, command, is_python):
    """By the name of the command, also when it is found on PATH; others are left alone."""
    environ = {"PATH": f"{task}:{os.environ['PATH']}"}

    arguments, _, _ = wrap(command, SCRIPT, environ=environ)

    assert arguments == ([LAUNCH, SCRIPT] if is_python else [SCRIPT])


def test_variables_stay_as_they_are(wrap):
    """Whatever is in them; the shell's own four are what any shell sets."""
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": "$(touch owned)", "PWD": "", "IFS": "p"}
    environ.update({f"V{number}": value for number, value in enumerate(HOSTILE)})

    arguments, seen, _ = wrap("./python3", SCRIPT, "a", environ=environ)

    shells_own = {"PWD", "OLDPWD", "SHLVL", "_", "IFS"}
    assert arguments == [LAUNCH, SCRIPT, "a"]
    assert set(seen.keys() - environ.keys()) <= shells_own
    for name in environ.keys() - shells_own:
        assert seen[name] == environ[name]


def test_without_a_launcher(wrap, opt):
    """A damaged layer costs a line, not the function."""
    (opt / "wrapkit/launch.py").unlink()

    arguments, _, stderr = wrap("./python3", SCRIPT)

    assert arguments == [SCRIPT]
    assert stderr.startswith(b"wrapkit: cannot read ")


def test_nothing_is_run_by_a_value(wrap, task):
    """No value is ever taken for shell."""
    wrap("./python3", SCRIPT, *HOSTILE, environ={"A": "$(touch owned)"})

    assert not (task / "owned").exists()


@pytest.fixture
def wrapper(tmp_path):
    """Call with a name: an exec wrapper that marks the variable TRAIL and runs what follows it."""

    def write(name):
        path = tmp_path / name
        path.write_text(f'#!/bin/sh\nTRAIL="$TRAIL {name}"\nexport TRAIL\nexec "$@"\n')
        path.chmod(0o755)
        return str(path)

    return write


def test_a_chain(wrap, wrapper):
    """Further wrappers run in the order of their list, each with the command that wrapkit made."""
    chain = f"{wrapper('one')}:{wrapper('two and a half')}:{wrapper('three')}"

    arguments, seen, stderr = wrap(
        "./python3", "-E", SCRIPT, *HOSTILE, environ={"WRAPKIT_CHAIN": chain}
    )

    assert arguments == ["-E", LAUNCH, SCRIPT, *HOSTILE]
    assert seen["TRAIL"] == " one two and a half three"
    assert seen["WRAPKIT_CHAIN"] == chain
    assert stderr == b""


@pytest.mark.parametrize("command", [["./node", "index.js"], ["./python3", "-c", "print()"]])
def test_a_chain_of_what_is_not_understood(wrap, wrapper, command):
    """What wrapkit leaves alone runs through the chain all the same."""
    arguments, seen, _ = wrap(*command, environ={"WRAPKIT_CHAIN": wrapper("one")})

    assert (arguments, seen["TRAIL"]) == (command[1:], " one")


def test_what_a_chain_cannot_run(wrap, wrapper, tmp_path):
    """Absent files, folders and text cost a line each; the others and the function run."""
    (tmp_path / "text").write_text("text")
    names = [
        "",
        "/absent",
        wrapper("one"),
        str(tmp_path),
        str(tmp_path / "text"),
        "$(touch owned)",
        "",
    ]

    arguments, seen, stderr = wrap("./python3", SCRIPT, environ={"WRAPKIT_CHAIN": ":".join(names)})

    assert (arguments, seen["TRAIL"]) == ([LAUNCH, SCRIPT], " one")
    assert stderr.count(b"names what cannot be run") == stderr.count(b"\n") == 4


@pytest.mark.parametrize("command", ["./python3", "./node"])
def test_a_chain_with_wrapkit_in_it(wrap, opt, command):
    """It does not begin anew for ever."""
    shutil.copy(opt / "otel-handler", opt / "otel-instrument")

    _, _, stderr = wrap(command, SCRIPT, environ={"WRAPKIT_CHAIN": str(opt / "otel-instrument")})

    assert stderr.count(b"names wrapkit itself") == 1


def test_wrapkit_within_another_wrapper(shell, opt, task, wrapper):
    """As the inner wrapper it sees the runtime's command, and twice is as good as once."""
    handler = str(opt / "otel-handler")
    outer = ["sh", wrapper("outer"), handler, handler]

    done = subprocess.run([*outer, "./python3", SCRIPT], capture_output=True, cwd=task, timeout=30)

    assert done.stdout.startswith(f"{opt}/wrapkit/launch.py\0{SCRIPT}\0end".encode())
    assert b"TRAIL= outer\0" in done.stdout


@pytest.mark.parametrize(
    ("chain", "environ", "trail"),
    [
        (["one", "it's 2"], {}, " one it's 2"),
        (["one"], {"WRAPKIT_CHAIN": "none"}, None),
        (["one"], {"WRAPKIT_CHAIN": ""}, " one"),
        (["one"], {"WRAPKIT_CHAIN": "other"}, " other"),
        ([], {}, None),
    ],
)
def test_a_chain_of_the_layers(shell, task, tmp_path, wrapper, chain, environ, trail):
    """What the layer was generated with holds unless the function says otherwise."""
    paths = {name: wrapper(name) for name in [*chain, "other"]}
    known = {"WRAPKIT_CHAIN": ":".join([paths[name] for name in chain])} if chain else {}
    layer = generate_layer("python", tmp_path / "made", defaults=known, versions=(OWN,)).output
    environ = {name: paths.get(value, value) for name, value in environ.items()}

    for name in EXEC_WRAPPERS:
        done = subprocess.run(
            [*shell, str(layer / name), "./python3", SCRIPT],
            capture_output=True,
            cwd=task,
            env={"PATH": os.environ["PATH"], **environ},
            timeout=30,
        )
        assert done.stdout.startswith(f"{layer}/wrapkit/launch.py\0{SCRIPT}\0end".encode())
        assert (f"TRAIL={trail}\0".encode() in done.stdout) == (trail is not None)
        assert done.stderr == b""


def test_exit_codes(shell, opt, task):
    """The command replaces the shell: its exit code is the function's, and its process id too."""
    (task / "python3").write_text("#!/bin/sh\necho $$\nexit 7\n")

    with subprocess.Popen(
        [*shell, str(opt / "otel-handler"), "./python3", SCRIPT], stdout=subprocess.PIPE, cwd=task
    ) as process:
        output, _ = process.communicate(timeout=30)

    assert (process.returncode, int(output)) == (7, process.pid)


@pytest.mark.parametrize(("command", "exit_code"), [("./absent", 127), ("./script.py", 126)])
def test_a_command_that_cannot_be_run(shell, opt, task, command, exit_code):
    """It ends as Lambda's own bootstrap would have ended."""
    done = subprocess.run(
        [*shell, str(opt / "otel-handler"), command, SCRIPT],
        capture_output=True,
        cwd=task,
        timeout=30,
    )

    assert done.returncode == exit_code


def test_no_command_at_all(shell, opt):
    """Someone who tries it by hand is told what it is for."""
    done = subprocess.run([*shell, str(opt / "otel-handler")], capture_output=True, timeout=30)

    assert done.returncode == 2
    assert b"expects the runtime's command line" in done.stderr


def test_found_without_a_folder(shell, opt, task):
    """Started by its bare name it looks around in the current folder."""
    done = subprocess.run(
        [*shell, "otel-handler", str(task / "python3"), str(task / SCRIPT)],
        capture_output=True,
        cwd=opt,
        timeout=30,
    )

    assert done.stdout.startswith(b"./wrapkit/launch.py\0")


def test_no_process_is_forked(shell, opt, task):
    """Forks cost milliseconds of Init: the wrapper has none."""
    if shutil.which("strace") is None:
        pytest.skip("no strace on this machine")
    (task / "python3").write_bytes(Path(shutil.which("true")).read_bytes())
    trace = ["strace", "-f", "-e", "trace=fork,vfork,clone,clone3", "-o", str(task / "trace")]

    done = subprocess.run(
        [*trace, *shell, str(opt / "otel-handler"), "./python3", "-E", SCRIPT],
        cwd=task,
        timeout=30,
        capture_output=True,
    )

    if b"ptrace" in done.stderr:
        pytest.skip("tracing is not allowed here")
    assert done.returncode == 0
    assert "clone" not in (task / "trace").read_text()
    assert "fork" not in (task / "trace").read_text()


PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL"


@pytest.mark.parametrize(
    ("has_extension", "given", "expected"),
    [
        (True, {}, "http/protobuf"),
        (True, {PROTOCOL: ""}, "http/protobuf"),
        (True, {PROTOCOL: "grpc"}, "grpc"),
        (False, {}, None),
    ],
)
def test_sdks_speak_what_the_extension_takes(wrap, opt, has_extension, given, expected):
    """OTLP/HTTP is asked for where nobody has asked for anything, and an extension is there."""
    if has_extension:
        (opt / "extensions").mkdir()
        (opt / "extensions/wrapkit").touch()
    _, environ, _ = wrap("./python3.14", SCRIPT, environ=given)

    assert environ.get(PROTOCOL) == expected
