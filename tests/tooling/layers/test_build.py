"""`wrapkit layer build`: reproducible, within Lambda's limits, and what Lambda needs of modes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from wrapkit.tooling._errors import DiagnosticError
from wrapkit.tooling.layers import LayerRequest, build_layers
from wrapkit.tooling.layers._archive import write_archive
from wrapkit.tooling.layers._limits import (
    MAX_DIRECT_UPLOAD_BYTES,
    MAX_UNZIPPED_BYTES,
    Part,
    check_sizes,
)
from wrapkit.tooling.wrapping import EXEC_WRAPPERS

OWN = "{}.{}".format(*sys.version_info[:2])
TIMEOUT_S = 120


def wrapkit(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "wrapkit.tooling.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        **options,
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    request = LayerRequest(tmp_path_factory.mktemp("layer") / "layer.zip", versions=(OWN,))
    return build_layers(request)[0]


def test_the_same_inputs_give_the_same_bytes(built, tmp_path):
    """From another folder, with another umask, hash seed and time zone."""
    output = tmp_path / "elsewhere/other.zip"
    environ = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"}
    done = wrapkit(
        *("layer", "build", "--python", OWN, "--output", output, "--json"),
        env=environ,
        umask=0o077,
        cwd=tmp_path,
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[0]["sha256"] == built.archive.sha256
    assert output.read_bytes() == built.archive.path.read_bytes()


def test_programs_are_executable_and_all_else_is_readable(built):
    """Lambda runs the function as another user than the one who unpacks."""
    with zipfile.ZipFile(built.archive.path) as archive:
        modes = {entry.filename: entry.external_attr >> 16 & 0o777 for entry in archive.infolist()}
    programs = {path for path, mode in modes.items() if mode == 0o755}

    assert programs == {*EXEC_WRAPPERS, "extensions/wrapkit"}
    assert set(modes.values()) == {0o755, 0o644}


def test_byte_code_is_inside_for_the_chosen_python(built):
    """Only that one's, and it is counted as a part."""
    tag = f"cpython-{OWN.replace('.', '')}"
    with zipfile.ZipFile(built.archive.path) as archive:
        compiled = [name for name in archive.namelist() if name.endswith(".pyc")]

    assert compiled
    assert all(tag in name for name in compiled)
    assert f"byte code for Python {OWN}" in built.parts_bytes
    assert sum(built.parts_bytes.values()) == built.archive.unzipped_bytes


def test_split_writes_an_archive_for_each_python(tmp_path):
    request = LayerRequest(tmp_path / "layer.zip", versions=(OWN,), split=True)
    paths = [layer.archive.path for layer in build_layers(request)]

    assert paths == [tmp_path / f"layer-python{OWN}.zip"]


def test_compressing_takes_less(built, tmp_path):
    request = LayerRequest(tmp_path / "layer.zip", versions=(OWN,), compress=True)
    archive = build_layers(request)[0].archive

    assert archive.zipped_bytes < built.archive.zipped_bytes * 0.7
    assert archive.unzipped_bytes == built.archive.unzipped_bytes


def test_what_lambda_would_refuse_is_not_written(tmp_path):
    """A file with a hole stands for a layer that leaves no room."""
    large = tmp_path / "large"
    large.mkdir()
    with (large / "model.bin").open("wb") as file:
        file.truncate(MAX_UNZIPPED_BYTES)
    output = tmp_path / "layer.zip"
    done = wrapkit("layer", "build", "--python", OWN, "--output", output, "--with-layers", large)

    assert done.returncode == 1
    assert "error: unzipped together" in done.stderr
    assert "large 250.0 MB" in done.stderr
    assert not output.exists()


def test_what_is_close_to_a_limit_is_said():
    near = [Part("layer", MAX_UNZIPPED_BYTES - 1)]

    assert "room for 0.0 MB more" in check_sizes(near, 0)[0]
    assert "from S3" in check_sizes([], MAX_DIRECT_UPLOAD_BYTES + 1)[0]
    assert check_sizes([Part("layer", 1000)], 1000) == []


def test_an_archive_that_cannot_be_written_leaves_nothing(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/file").write_text("")
    (tmp_path / "taken").write_text("a file where a folder is needed")

    with pytest.raises(DiagnosticError, match="cannot write"):
        write_archive(tmp_path / "folder", tmp_path / "taken/layer.zip")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "taken"]


def test_a_failure_on_the_way_keeps_what_was_there(tmp_path, monkeypatch):
    """The archive appears whole or not at all."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/file").write_text("new")
    output = tmp_path / "layer.zip"
    output.write_text("old")
    monkeypatch.setattr(Path, "read_bytes", lambda _path: (_ for _ in ()).throw(OSError(5, "I/O")))

    with pytest.raises(DiagnosticError, match="I/O"):
        write_archive(tmp_path / "folder", output)
    assert output.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "layer.zip"]
