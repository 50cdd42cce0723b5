"""What the system refuses is told with its place and a hint, and is never called a defect."""

from __future__ import annotations

import os

import pytest

HANDLER = "def handler(event, context): return 1"
FULL = "/dev/full"


@pytest.fixture
def refused(wrapkit):
    """Runs a command that has to be refused, bound by permissions: exit code and stderr."""

    def run(*arguments, **options):
        code, _, stderr = wrapkit(*arguments, bound_by_permissions=True, **options)
        assert "wrapkit itself failed" not in stderr
        assert "Traceback" not in stderr
        *_, error, hint = stderr.splitlines()
        assert (error[:7], hint[:6]) == ("error: ", "hint: ")
        return code, error

    return run


@pytest.fixture
def closed(tmp_path):
    """Takes all permissions from a path until the end of the test."""
    paths = []

    def close(path, mode=0):
        paths.append((path, path.stat().st_mode))
        path.chmod(mode)
        return path

    yield close
    for path, mode in paths:
        path.chmod(mode)


@pytest.fixture
def layer(tmp_path):
    """Makes a folder with an extension that is never started."""

    def make(name):
        folder = tmp_path / name
        (folder / "extensions").mkdir(parents=True)
        (folder / "extensions/one").touch()
        return folder

    return make


@pytest.mark.parametrize("isolation", ["auto", "none"])
@pytest.mark.parametrize("part", ["", "extensions"], ids=["all of it", "a folder in it"])
def test_a_layer_that_may_not_be_read(refused, task, event, layer, closed, part, isolation):
    closed(layer("layer") / part)
    code, error = refused(
        *("run", "--task", task(HANDLER), "--handler", "app.handler", "--event", event({})),
        *("--isolation", isolation, "--layer", "layer"),
    )
    assert code == 2
    assert "layer" in error
    assert "readable" in error or "Permission denied" in error


@pytest.mark.parametrize("isolation", ["auto", "none"])
def test_one_of_several_layers_that_may_not_be_read(refused, task, event, layer, closed, isolation):
    """They are copied over each other; the one is named as the user named it."""
    closed(layer("one") / "extensions/one")
    code, error = refused(
        *("run", "--task", task(HANDLER), "--handler", "app.handler", "--event", event({})),
        *("--isolation", isolation, "--layer", "one", "--layer", layer("two")),
    )
    assert code == 2
    assert error.endswith("one/extensions/one: Permission denied")
    assert "/proc/" not in error


@pytest.mark.parametrize("mode", [0o000, 0o555], ids=oct)
def test_an_output_in_a_folder_that_may_not_be_written_to(refused, tmp_path, closed, mode):
    folder = tmp_path / "closed"
    folder.mkdir()
    closed(folder, mode)
    code, error = refused("generate", "--lang", "python", "--output", folder / "layer")
    assert (code, error) == (1, f"error: cannot write {folder}/layer: Permission denied")


def test_an_output_below_a_file(refused, tmp_path):
    (tmp_path / "file").touch()
    code, error = refused("generate", "--lang", "python", "--output", tmp_path / "file/layer")
    assert (code, error) == (1, f"error: cannot write {tmp_path}/file/layer: Not a directory")


@pytest.mark.skipif(not os.path.exists(FULL), reason="this machine has no /dev/full")
@pytest.mark.parametrize("json", [(), ("--json",)], ids=["text", "JSON"])
def test_a_full_disk_behind_stdout(refused, task, event, json):
    with open(FULL, "w", encoding="utf-8") as stdout:
        code, error = refused(
            *("run", "--task", task(HANDLER), "--handler", "app.handler", "--event", event({})),
            *json,
            stdout=stdout,
        )
    assert code == 1
    assert error.endswith("No space left on device")


def test_an_interpreter_that_is_none(refused, task, event):
    code, error = refused(
        *("run", "--task", task(HANDLER), "--handler", "app.handler", "--event", event({})),
        *("--python", "/bin/ls"),
    )
    assert code == 2
    assert error.startswith("error: /bin/ls does not run as a Python interpreter: it ended with ")
