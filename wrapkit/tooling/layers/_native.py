"""Native files of a layer: which architecture and which C library they are for."""

from __future__ import annotations

import io
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._finding import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from elftools.elf.elffile import ELFFile

    from ._picture import LayerFile, Picture

# Of the images that Lambda's runtimes stand on: python3.12, nodejs20 and the newer ones are
# Amazon Linux 2023, those before Amazon Linux 2.
AMAZON_LINUX_2_GLIBC = (2, 26)
AMAZON_LINUX_2023_GLIBC = (2, 34)

_MACHINES = {"EM_X86_64": "x86_64", "EM_AARCH64": "arm64"}
# What stands in the place of an architecture where there is none to be read.
DAMAGED = "damaged"
_ELF = b"\x7fELF"
_GLIBC = re.compile(r"GLIBC_(\d+)\.(\d+)")


@dataclass(frozen=True)
class NativeFile:
    """An ELF file. ``glibc`` is the newest version that it asks for, None if it asks for none."""

    path: str
    architecture: str
    glibc: tuple[int, int] | None
    is_musl: bool


def find_native_files(picture: Picture) -> list[NativeFile]:
    """Every ELF file, with what its headers say."""
    return [
        _native_file(file)
        for file in picture.files
        if not file.is_link and file.head.startswith(_ELF)
    ]


def _native_file(file: LayerFile) -> NativeFile:
    # Here, since few layers have native files and the library takes a moment to load.
    from elftools.common.exceptions import ELFError
    from elftools.elf.elffile import ELFFile

    try:
        elf = ELFFile(io.BytesIO(file.read()))
        machine = _MACHINES.get(elf["e_machine"], str(elf["e_machine"]))
        return NativeFile(file.path, machine, _newest_glibc(elf), _is_musl(elf))
    except (ELFError, ValueError, KeyError, UnicodeDecodeError):
        return NativeFile(file.path, DAMAGED, None, False)


def _newest_glibc(elf: ELFFile) -> tuple[int, int] | None:
    from elftools.elf.gnuversions import GNUVerNeedSection

    section = elf.get_section_by_name(".gnu.version_r")
    if not isinstance(section, GNUVerNeedSection):
        return None
    names = [entry.name for _, entries in section.iter_versions() for entry in entries]
    found = [_GLIBC.match(name) for name in names]
    return max(((int(m[1]), int(m[2])) for m in found if m), default=None)


def _is_musl(elf: ELFFile) -> bool:
    from elftools.elf.dynamic import DynamicSection

    dynamic = elf.get_section_by_name(".dynamic")
    if not isinstance(dynamic, DynamicSection):
        return False
    needed = [getattr(tag, "needed", "") for tag in dynamic.iter_tags("DT_NEEDED")]
    return any(name.startswith("libc.musl") for name in needed)


def check_native_files(files: list[NativeFile]) -> Iterator[Finding]:
    """What does not load on Lambda, or on some of it; many files of a kind are one finding."""
    by_kind: dict[tuple[Severity, str, str, str], list[str]] = defaultdict(list)
    for file in files:
        for kind in _problems(file):
            by_kind[kind].append(file.path)
    for (severity, reference, what, hint), paths in by_kind.items():
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        yield Finding(severity, reference, f"{paths[0]}{more}: {what}", hint)


def _problems(file: NativeFile) -> Iterator[tuple[Severity, str, str, str]]:
    if file.architecture == DAMAGED:
        hint = "copy it anew from the wheel or the build that it comes from"
        yield Severity.ERROR, "damaged", "a native file whose headers cannot be read", hint
    elif file.architecture not in _MACHINES.values():
        hint = "Lambda has x86_64 and arm64"
        yield Severity.ERROR, "wrong-architecture", f"made for {file.architecture}", hint
    if file.is_musl:
        hint = "install manylinux wheels, not musllinux ones"
        yield Severity.ERROR, "musl", "needs musl, and Lambda's runtimes have glibc", hint
    if file.glibc is None:
        return
    version = "{}.{}".format(*file.glibc)
    if file.glibc > AMAZON_LINUX_2023_GLIBC:
        hint = "install wheels for manylinux_2_34 or older"
        yield Severity.ERROR, "glibc", f"needs glibc {version}, and Lambda has 2.34 at most", hint
    elif file.glibc > AMAZON_LINUX_2_GLIBC:
        what = f"needs glibc {version}: loads on Amazon Linux 2023 (python3.12, nodejs20 and newer)"
        hint = "wheels for manylinux2014 load on Amazon Linux 2 as well"
        yield Severity.WARNING, "glibc", what, hint
