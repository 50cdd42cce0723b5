"""`wrapkit init` writes a file that others read, `wrapkit completion` a script that shells run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import pytest

from wrapkit.tooling.cli._main import COMMANDS
from wrapkit.tooling.settings import SETTINGS, commented_file, read_settings

from .conftest import BOUND_S


def test_the_file_is_written_once(wrapkit, tmp_path):
    first, again = wrapkit("init"), wrapkit("init")
    forced = wrapkit("init", "--force")

    assert (first[0], again[0], forced[0]) == (0, 2, 0)
    assert "wrapkit.toml is there already" in again[2]
    assert (tmp_path / "wrapkit.toml").read_text() == commented_file()


def test_the_file_is_valid_as_it_is_and_without_its_comments(tmp_path):
    """Every setting with a key is in it, and its example is a value that is taken."""
    path = tmp_path / "wrapkit.toml"
    path.write_text(commented_file())
    assert read_settings(path).values == {}

    path.write_text(re.sub(r"^#(?=[\w-]+ = )", "", commented_file(), flags=re.MULTILINE))
    assert set(read_settings(path).values) == {s.key for s in SETTINGS if s.key}


def complete(words, count):
    """What the command answers the script of bash."""
    done = subprocess.run(
        [sys.executable, "-m", "wrapkit.tooling.cli"],
        env={
            **os.environ,
            "_WRAPKIT_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(count),
        },
        capture_output=True,
        text=True,
        timeout=BOUND_S,
    )
    return [line.partition(",")[2] for line in done.stdout.splitlines()]


def test_commands_and_options_are_completed():
    assert complete("wrapkit ", 1) == list(COMMANDS)
    assert complete("wrapkit la", 1) == ["layer"]
    assert complete("wrapkit layer bu", 2) == ["build"]
    assert "--verify" in complete("wrapkit attach --ve", 2)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_one_of_its_shell(wrapkit, shell):
    """Checked by the shell itself where it is installed."""
    code, script, _ = wrapkit("completion", shell)

    assert code == 0
    assert "_WRAPKIT_COMPLETE" in script
    if shutil.which(shell):
        done = subprocess.run([shell, "-n"], input=script, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
