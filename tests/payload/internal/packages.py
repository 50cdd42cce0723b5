"""Packages from the index in a folder of their own, for one Python."""

from __future__ import annotations

import fcntl
import shutil
import subprocess

import pytest


def install(python, folder, *requirements):
    """Install into `folder`, once for all workers and runs. Skips where it cannot be done."""
    marker = folder / ".requirements"
    wanted = "\n".join(requirements)
    folder.parent.mkdir(parents=True, exist_ok=True)
    # The workers of one session come here at the same time.
    with (folder.parent / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if marker.is_file() and marker.read_text() == wanted:
            return
        shutil.rmtree(folder, ignore_errors=True)
        problem = _pip_install(python, folder, requirements)
        if problem:
            shutil.rmtree(folder, ignore_errors=True)
            pytest.skip(f"{requirements} cannot be had: {problem[-200:]}")
        marker.write_text(wanted)


def _pip_install(python, folder, requirements):
    """What pip complains about, empty when all went well."""
    pip = [python, "-m", "pip", "--disable-pip-version-check", "--isolated", "install", "--quiet"]
    done = subprocess.run(
        [*pip, "--only-binary", ":all:", "--target", str(folder), *requirements],
        capture_output=True,
        text=True,
        timeout=300,
    )
    return done.stderr.strip() or "pip failed" if done.returncode else ""
