"""The spool and other processes: killed while writing, shared, on full and forbidden disks."""

from __future__ import annotations

import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from wrapkit.payload.external._segment import HEADER_BYTES
from wrapkit.payload.external._spool import Spool

from .test_spool import batch, life

ROOT = Path(__file__).resolve().parents[3]
WAIT_S = 30


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "spool")


PRELUDE = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from wrapkit.payload.external._outbox import Batch
from wrapkit.payload.external._segment import HEADER_BYTES
from wrapkit.payload.external._spool import Spool
def add(spool, body, size=1):
    content_type = "application/x-protobuf"
    return spool.add(Batch(signal="traces", content_type=content_type, body=body, size=size))
path = sys.argv[1]
"""


def python(script, path, *command, **arguments):
    return subprocess.run(
        [*command, sys.executable, "-I", "-S", "-c", PRELUDE + script, path],
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        **arguments,
    )


def test_one_process_at_a_time(path):
    """While one has the folder another spools nothing and delivers nothing; its end frees it."""
    spool = Spool(path)
    spool.add(batch(b"a"))
    script = "s = Spool(path); print(add(s, b'x'), s.take('traces') and s.take('traces').body)\n"

    answer = python(script, path)

    assert answer.stdout == "False None\n"
    assert "another process uses it" in answer.stderr
    spool.close()
    assert python("print(Spool(path).take('traces').body)", path).stdout == "b'a'\n"


def test_killed_while_writing(path):
    """SIGKILL at any moment: all that add has confirmed is there, whole, and in order."""
    script = """
import posix
spool, index = Spool(path), 0
while True:
    assert add(spool, b"%d:" % index + bytes(50_000))
    posix.write(1, b"%d\\n" % index)
    index += 1
"""
    with subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", PRELUDE + script, path], stdout=subprocess.PIPE
    ) as process:
        confirmed = [int(process.stdout.readline()) for _ in range(100)][-1]
        process.send_signal(signal.SIGKILL)
        confirmed = max([confirmed, *map(int, process.stdout.read().split())])

    numbers = [int(body.partition(b":")[0]) for body in life(path)]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert numbers[-1] in (confirmed, confirmed + 1)


FILL = """
spool = Spool(path)
kept = [add(spool, bytes([index]) * 3_000, size=2) for index in range(40)]
first = kept.index(False)
print(kept.count(True), spool.not_spooled)
# Room again: what has gone out makes it possible to go on.
while True:
    taken = spool.take("traces")
    if taken is None: break
    spool.delivered(taken)
print(add(spool, b"small"), spool.spooled_bytes)
"""


def test_a_limit_on_the_length_of_files(path):
    """RLIMIT_FSIZE: a record that was cut off is not kept, and the earlier ones are whole."""
    limit = 30_000

    def limited():
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    answer = python(FILL, path, preexec_fn=limited)

    assert answer.stdout == f"9 62\nTrue {HEADER_BYTES + 5}\n", answer.stderr
    assert answer.stderr.count("could not be kept") == 1
    assert life(path) == [b"small"]


def in_namespace(options, path):
    """A command that runs the rest with a small file system of its own at `path`."""
    mount = f'mount -t tmpfs -o {options} tmpfs "$0" && exec "$@"'
    return ["unshare", "--mount", "sh", "-c", mount, path]


@pytest.fixture
def may_mount(tmp_path):
    command = [*in_namespace("size=64k", str(tmp_path)), "true"]
    if shutil.which("unshare") is None or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("needs to be allowed to mount")


@pytest.mark.usefixtures("may_mount")
def test_a_full_disk(tmp_path):
    """What does not fit is counted, what was there is whole, and room makes it go on."""
    path = str(tmp_path / "spool")
    answer = python(FILL, path, *in_namespace("size=64k", str(tmp_path)))

    kept, not_spooled = map(int, answer.stdout.split()[:2])
    assert 10 < kept < 22
    assert not_spooled == 2 * (40 - kept)
    assert answer.stdout.splitlines()[1] == f"True {HEADER_BYTES + 5}"
    assert answer.stderr.count("no space left") == 1


@pytest.mark.usefixtures("may_mount")
def test_a_read_only_tmp(tmp_path):
    """Nothing is kept, nothing fails, and one line says why."""
    script = "s = Spool(path); print(add(s, b'a'), add(s, b'b'), s.not_spooled, s.take('traces'))"
    answer = python(script, str(tmp_path / "spool"), *in_namespace("ro", str(tmp_path)))

    assert answer.stdout == "False False 2 None\n"
    assert answer.stderr.count("Read-only file system") == 1
