"""Layers: folders or zip files, each a picture of /opt, laid over each other in order."""

from __future__ import annotations

import os
import shutil
import stat
import zipfile
from typing import TYPE_CHECKING, NoReturn

from wrapkit.tooling._errors import USAGE, DiagnosticError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_COPY_HINT = "several layers are copied: all of them has to be readable, and to find room"
# Undocumented switch of the platform, read in AWS's emulator (internal/lambda/extensions).
_DISABLE_EXTENSIONS = "disable-extensions-jwigqn8j"


def check_layer(layer: Path) -> None:
    """Raises ``DiagnosticError`` for a layer that cannot be read, before anything is started."""
    if layer.is_dir():
        if os.access(layer, os.R_OK | os.X_OK):
            return
        raise _unreadable(layer, "permission denied", "make the folder readable")
    if not layer.exists():
        raise _unreadable(
            layer, "it does not exist", "name a folder or a zip file that holds the layer"
        )
    try:
        with zipfile.ZipFile(layer) as archive:
            for entry in archive.infolist():
                _check_entry(layer, entry.filename)
    except zipfile.BadZipFile as error:
        raise _unreadable(
            layer, f"not a zip file ({error})", "name a folder or a zip file"
        ) from error
    except OSError as error:
        raise _unreadable(layer, str(error.strerror), "make the file readable") from error


def _check_entry(layer: Path, name: str) -> None:
    if name.startswith("/") or ".." in name.split("/"):
        _refuse_entry(layer, name)


def _refuse_entry(layer: Path, name: str) -> NoReturn:
    raise _unreadable(layer, f"its entry {name!r} lies outside the layer", "build the layer anew")


def _unreadable(layer: Path, reason: str, hint: str) -> DiagnosticError:
    return DiagnosticError(
        "layer-unreadable", f"the layer {layer} cannot be read: {reason}", hint, USAGE
    )


def merge_layers(layers: Sequence[Path], target: str) -> None:
    """Lays the layers over each other in ``target``, an existing empty folder.

    Raises ``DiagnosticError`` for one that cannot be read, or that would write outside of it,
    through a link of its own or of an earlier layer.
    """
    for layer in layers:
        check_layer(layer)
        try:
            _lay(layer, target)
        except shutil.Error as error:  # of copytree: (source, target, reason) of each
            path, _, reason = error.args[0][0]
            raise _unreadable(layer, f"{path}: {_words(reason)}", _COPY_HINT) from error
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            raise _unreadable(layer, f"{place}{error.strerror or error}", _COPY_HINT) from error


def _lay(layer: Path, target: str) -> None:
    if not layer.is_dir():
        _extract(layer, target)
        return
    for folder, folders, files in os.walk(layer):
        for name in (*folders, *files):
            _make_way(layer, target, os.path.relpath(os.path.join(folder, name), layer))
    shutil.copytree(layer, target, symlinks=True, dirs_exist_ok=True)


def _words(reason: str) -> str:
    """``Permission denied`` of ``[Errno 13] Permission denied: 'a/file'``."""
    return reason.partition("] ")[2].partition(": ")[0] or reason


def _extract(layer: Path, target: str) -> None:
    with zipfile.ZipFile(layer) as archive:
        for entry in archive.infolist():
            mode = entry.external_attr >> 16
            path = _make_way(layer, target, entry.filename)
            if stat.S_ISLNK(mode):
                os.makedirs(os.path.dirname(path), exist_ok=True)
                os.symlink(archive.read(entry).decode(), path)
                continue
            archive.extract(entry, target)
            if stat.S_IMODE(mode):
                os.chmod(path, stat.S_IMODE(mode))


def _make_way(layer: Path, target: str, name: str) -> str:
    """The path of an entry: below ``target`` whatever links lead there, and itself no link."""
    path = os.path.join(target, name.rstrip("/"))
    root = os.path.realpath(target)
    parent = os.path.realpath(os.path.dirname(path))
    if os.path.commonpath((root, parent)) != root:
        _refuse_entry(layer, name)
    if os.path.islink(path):
        os.unlink(path)
    return path


def find_extensions(opt: str) -> tuple[str, ...]:
    """The file names in ``extensions`` below ``opt``: every entry that is not a folder, not
    recursive.
    """
    if os.path.exists(os.path.join(opt, _DISABLE_EXTENSIONS)):
        return ()
    try:
        entries = list(os.scandir(os.path.join(opt, "extensions")))
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except OSError as error:
        reason = f"the layers' folder extensions cannot be read: {error.strerror}"
        hint = "make the folder readable"
        raise DiagnosticError("layer-unreadable", reason, hint, USAGE) from error
    return tuple(sorted(entry.name for entry in entries if not entry.is_dir()))
