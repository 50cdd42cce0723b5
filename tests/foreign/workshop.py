"""Builds the foreign parties, once each: what was built of the same sources is used again."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
BUILT = Path(__file__).resolve().parents[2] / "build/foreign"
# The Node runtime client compiles curl, the Rust crate some 70 others: minutes on a loaded machine.
LIMIT_S = 900


def require(*tools):
    """Skips the test where a toolchain is absent; CI, which installs them, fails instead."""
    absent = missing(*tools)
    if absent and os.environ.get("CI"):
        pytest.fail(f"{', '.join(absent)} should have been installed by .ci/run")
    if absent:
        pytest.skip(f"{', '.join(absent)} is not on this machine")


def missing(*tools):
    """Those of the tools that are not on PATH."""
    return [tool for tool in tools if shutil.which(tool) is None]


def built(name, *commands, environment=None, key=""):
    """The folder with a copy of the sources in which the commands have been run.

    `key` is what else the result depends on, a version above all.
    """
    folder = BUILT / f"{name}-{_digest(HERE / name, commands, key)}"
    BUILT.mkdir(parents=True, exist_ok=True)
    with (BUILT / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the tests' processes are several
        if not (folder / ".built").exists():
            for stale in BUILT.glob(f"{name}-*"):
                shutil.rmtree(stale)
            _build(HERE / name, folder, commands, environment or {})
    return folder


def _digest(source, commands, key):
    digest = hashlib.sha256(repr((commands, key)).encode())
    for path in sorted(source.rglob("*")):
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _build(source, folder, commands, environment):
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(source, folder) if source.is_dir() else folder.mkdir()
    for command in commands:
        made = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LIMIT_S,
        )
        assert made.returncode == 0, f"{command}\n{made.stdout[-4000:]}"
    (folder / ".built").touch()


def isolation_for(*tools):
    """A namespace, unless it would hide where a tool lives: it has /opt and the like of its own."""
    covered = ("/opt/", "/tmp/", "/var/")
    places = [str(Path(shutil.which(tool)).resolve()) for tool in tools]
    return "none" if any(place.startswith(covered) for place in places) else "auto"
