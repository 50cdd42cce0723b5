"""The zip archive of a layer, the same bytes wherever it is made."""

from __future__ import annotations

import hashlib
import os
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .._whole_file import whole_file

if TYPE_CHECKING:
    from pathlib import Path

# The first time that the format knows. Nothing in a layer looks at times: byte code is unchecked.
_EPOCH = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_REGULAR_FILE = 0o100000


@dataclass(frozen=True)
class Archive:
    """A zip archive that was written. ``sha256`` is in hexadecimal, and names its bytes."""

    path: Path
    sha256: str
    zipped_bytes: int
    unzipped_bytes: int


def write_archive(folder: Path, output: Path, *, compress: bool = False) -> Archive:
    """Write the files of ``folder``; what stood at ``output`` stays until the archive is whole.

    Stored rather than deflated unless ``compress``: what deflate makes differs between zlib and
    zlib-ng, either of which may be what Python was built with. Modes are 0755 and 0644, whatever
    the umask was.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    method = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    with whole_file(output) as stream, zipfile.ZipFile(stream, "w", method) as archive:
        for path in files:
            entry = _entry(path, path.relative_to(folder).as_posix())
            archive.writestr(entry, path.read_bytes(), method, compresslevel=9)
    sha256 = hashlib.sha256(output.read_bytes()).hexdigest()
    return Archive(output, sha256, output.stat().st_size, sum(p.stat().st_size for p in files))


def _entry(path: Path, name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.create_system = _UNIX
    mode = 0o755 if os.access(path, os.X_OK) else 0o644
    entry.external_attr = (_REGULAR_FILE | mode) << 16
    return entry
