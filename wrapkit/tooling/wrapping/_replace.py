"""A folder that appears whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .._errors import USAGE, DiagnosticError, system_refusal

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def replaced_folder(output: Path, marker: str, *, force: bool) -> Iterator[Path]:
    """An empty folder to build in, which takes the place of ``output`` when the block succeeds.

    A non-empty ``output`` is replaced only if it holds ``marker``, a JSON file that says who wrote
    it, or with ``force``. `DiagnosticError` when it may not be replaced or written.
    """
    output = output.resolve()
    try:
        _check(output, marker, force)
        near = _nearest_folder(output.parent)
        with _scratch_folder(near, output.name) as scratch:
            building = scratch / "new"
            building.mkdir()
            yield building
            output.parent.mkdir(parents=True, exist_ok=True)
            _exchange(building, output, scratch / "old")
    except OSError as error:
        raise DiagnosticError(
            "output-not-writable",
            f"cannot write {output}: {error.strerror or error}",
            _hint(error, output),
        ) from error


def _hint(error: OSError, output: Path) -> str:
    refusal = system_refusal(error)
    if refusal is None or error.errno in (errno.EACCES, errno.EPERM):
        return f"{output.parent} and what is to be replaced have to be writable"
    return refusal.hint


def _check(output: Path, marker: str, force: bool) -> None:
    for folder in output.parents:
        if folder.is_file():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    if output.exists() and not output.is_dir():
        raise DiagnosticError(
            "output-not-a-folder", f"{output} is not a folder", "choose another --output", USAGE
        )
    if output in (Path.home(), *_with_parents(Path.cwd())):
        raise DiagnosticError(
            "output-in-use",
            f"{output} holds the current or the home folder and is never replaced",
            "choose a folder of its own as --output",
            USAGE,
        )
    if not force and _has_content(output) and not _is_marked(output / marker):
        raise DiagnosticError(
            "output-not-empty",
            f"{output} is not empty and was not written by wrapkit",
            "choose another --output, or replace all that is in it with --force",
            USAGE,
        )


def _with_parents(path: Path) -> list[Path]:
    return [path, *path.parents]


def _has_content(output: Path) -> bool:
    try:
        return any(output.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True


def _is_marked(marker: Path) -> bool:
    try:
        content = json.loads(marker.read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and "wrapkit" in content


def _nearest_folder(path: Path) -> Path:
    """The first that exists: a scratch folder in it is on the file system of the output."""
    return next(folder for folder in _with_parents(path) if folder.is_dir())


@contextmanager
def _scratch_folder(parent: Path, name: str) -> Iterator[Path]:
    scratch = Path(tempfile.mkdtemp(prefix=f".{name}.", dir=parent))
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _exchange(new: Path, output: Path, old: Path) -> None:
    """Two renames; when the second fails, the first is undone."""
    with contextlib.suppress(FileNotFoundError):
        os.rename(output, old)
    try:
        os.rename(new, output)
    except BaseException:
        if old.exists():
            os.rename(old, output)
        raise
