"""A layer as its files, read in place: nothing is extracted, so nothing can leave its folder."""

from __future__ import annotations

import os
import stat
import zipfile
import zlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from .._errors import USAGE, DiagnosticError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


_HEAD_BYTES = 256
# Damaged, encrypted, or packed by a method that Python does not know; Lambda takes none of them.
_UNREADABLE = (OSError, zipfile.BadZipFile, zlib.error, RuntimeError)


@dataclass(frozen=True)
class LayerFile:
    """A file or a symbolic link of a layer; ``path`` is relative to /opt, as it is written.

    ``read`` gives its bytes, those of a link its target; ``head`` is the first few hundred.
    """

    path: str
    mode: int
    size_bytes: int
    is_link: bool
    read: Callable[[], bytes]
    head: bytes

    @property
    def is_executable(self) -> bool:
        return bool(self.mode & 0o111)

    @property
    def lies_outside(self) -> bool:
        return self.path.startswith("/") or ".." in self.path.split("/")


@dataclass(frozen=True)
class Picture:
    """What a layer puts into /opt, in a stable order. ``zipped_bytes`` is None for a folder."""

    name: str
    files: tuple[LayerFile, ...]
    zipped_bytes: int | None = None

    @property
    def unzipped_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)


def read_picture(path: Path) -> Picture:
    """The files of a zip archive or of a folder.

    Raises:
        DiagnosticError: it is neither, or cannot be read.
    """
    try:
        files = tuple(_files_of_folder(path)) if path.is_dir() else tuple(_files_of_archive(path))
    except _UNREADABLE as error:
        reason = getattr(error, "strerror", None) or error
        raise DiagnosticError(
            "layer-unreadable",
            f"{path} cannot be read as a layer: {reason}",
            "name a zip archive or a folder",
            USAGE,
        ) from error
    zipped_bytes = None if path.is_dir() else path.stat().st_size
    return Picture(path.name, tuple(sorted(files, key=lambda file: file.path)), zipped_bytes)


def _files_of_folder(folder: Path) -> Iterator[LayerFile]:
    for root, folders, names in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(root, name))]
        for name in [*names, *links]:
            path = Path(root, name)
            status = path.lstat()
            is_link = stat.S_ISLNK(status.st_mode)
            yield LayerFile(
                path.relative_to(folder).as_posix(),
                stat.S_IMODE(status.st_mode),
                status.st_size,
                is_link,
                partial(_read_path, path, is_link, -1),
                _read_path(path, is_link, _HEAD_BYTES),
            )


def _read_path(path: Path, is_link: bool, size_bytes: int) -> bytes:
    if is_link:
        return os.fsencode(os.readlink(path))
    with path.open("rb") as stream:
        return stream.read(size_bytes)


def _files_of_archive(path: Path) -> Iterator[LayerFile]:
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            if entry.is_dir():
                continue
            mode = entry.external_attr >> 16
            with archive.open(entry) as stream:
                head = stream.read(_HEAD_BYTES)
            yield LayerFile(
                entry.filename,
                stat.S_IMODE(mode),
                entry.file_size,
                stat.S_ISLNK(mode),
                partial(_read_entry, path, entry),
                head,
            )


def _read_entry(path: Path, entry: zipfile.ZipInfo) -> bytes:
    # An archive may claim any size; what it says is what is read, and no more.
    with zipfile.ZipFile(path) as archive, archive.open(entry) as stream:
        return stream.read(entry.file_size)
