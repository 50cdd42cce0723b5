"""The sandbox as a private mount namespace, so that /opt, /var/task and /tmp are the function's.

Rule 1. The namespace is built once, by a child that then stands guard over it (``_guardian``); a
    process enters it between fork and exec. Nothing stands between the host and the processes that
    it starts.
Rule 2. All that the sandbox adds lies in memory file systems of the namespace: when the last
    descriptor is closed, even by kill -9, everything is gone. Nothing is created on the machine's
    own file systems.
Rule 3. The root is a new one that binds the machine's folders, since /opt or /var/task need not
    exist on the machine, and may not be created there.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wrapkit.tooling._errors import DiagnosticError

from ._guardian import in_mount_namespace, kill_all, wait_for_end
from ._kernel import (
    CLONE_NEWNS,
    CLONE_NEWUSER,
    MS_BIND,
    MS_MOVE,
    MS_PRIVATE,
    MS_REC,
    make_read_only,
    mount,
    setns,
    unshare,
)
from ._layers import find_extensions, merge_layers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TASK_ROOT, RUNTIME_DIR, LANG, OPT = "/var/task", "/var/runtime", "/var/lang", "/opt"
TMP = "/tmp"  # noqa: S108
# The reference of the error where the kernel refuses.
REFUSED = "namespace-refused"
# What the sandbox puts in place of the machine's own folders.
_COVERED = (TASK_ROOT, RUNTIME_DIR, LANG, OPT, TMP)
# The one folder that every machine has; it is covered in the namespace only.
_STAGE = "/tmp"  # noqa: S108


@dataclass(frozen=True)
class Picture:
    """What the namespace shows: the folders to bind, the files of /var/runtime by name, and the
    size of /tmp.
    """

    task_root: Path
    layers: tuple[Path, ...]
    lang: Path
    base_prefix: Path
    runtime_files: dict[str, str]
    tmp_mb: int = 512

    @property
    def covered_base(self) -> tuple[Path, ...]:
        """The base of a virtual environment, where the sandbox covers the place that it has to
        keep.
        """
        covered = any(self.base_prefix.is_relative_to(folder) for folder in _COVERED)
        return (self.base_prefix,) if covered else ()

    @property
    def opt_is_bound(self) -> bool:
        """Whether one folder can be /opt as it is: cheaper than a copy."""
        return (
            len(self.layers) == 1
            and self.layers[0].is_dir()
            and not self.base_prefix.is_relative_to(OPT)
        )


def build(picture: Picture) -> tuple[str, ...]:
    """Moves the calling process into a new namespace with the picture in it; returns the
    extensions' file names.
    """
    _unshare()
    mount("none", "/", "none", MS_REC | MS_PRIVATE)
    sources = {
        str(path): _descriptor_path(path)
        for path in (picture.task_root, picture.lang, *picture.layers, *picture.covered_base)
    }
    opt_is_bound = picture.opt_is_bound  # asked before the stage covers /tmp
    mount("tmpfs", _STAGE, "tmpfs", 0, "mode=755")
    _bind_machine()
    _bind_hosts()
    _place(sources[str(picture.task_root)], TASK_ROOT, read_only=True)
    # Not read-only, unlike Lambda's: an interpreter without byte code would compile the runtime
    # client at every start.
    _place(sources[str(picture.lang)], LANG, read_only=False)
    _write_runtime(picture.runtime_files)
    mount("tmpfs", _staged(TMP), "tmpfs", 0, f"mode=1777,size={picture.tmp_mb}m")
    try:
        _fill_opt([sources[str(layer)] for layer in picture.layers], bind=opt_is_bound)
    except DiagnosticError as error:
        raise _with_names(error, sources) from error
    for base_prefix in picture.covered_base:
        _keep_interpreter(str(base_prefix), sources[str(base_prefix)])
    make_read_only(_staged("/opt"))
    make_read_only(_STAGE)
    extensions = find_extensions(_staged(OPT))
    os.chdir(_STAGE)
    mount(_STAGE, "/", "none", MS_MOVE)
    os.chroot(".")
    os.chdir("/")
    return extensions


def _with_names(error: DiagnosticError, sources: dict[str, str]) -> DiagnosticError:
    """The error with the layers' own paths in place of the descriptors'."""
    message = error.message
    for path, descriptor_path in sources.items():
        message = re.sub(rf"{descriptor_path}\b", path.replace("\\", r"\\"), message)
    return DiagnosticError(error.reference, message, error.hint, error.exit_code)


def _unshare() -> None:
    """A mount namespace where we are privileged; else one within a user namespace that maps only
    ourselves.
    """
    try:
        unshare(CLONE_NEWNS)
    except PermissionError:
        user, group = os.geteuid(), os.getegid()
        unshare(CLONE_NEWUSER | CLONE_NEWNS)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def _descriptor_path(path: Path) -> str:
    """A path that stays good when the stage covers /tmp; a zip file is read by it, too."""
    return f"/proc/self/fd/{os.open(path, os.O_RDONLY)}"


def _staged(path: str) -> str:
    return _STAGE + path


def _bind_machine() -> None:
    for folder in ("/", "/var"):
        for entry in os.scandir(folder):
            if entry.path == "/var":
                os.mkdir(_staged(entry.path))
            elif entry.path not in _COVERED:
                _bind_entry(entry)
    for folder in _COVERED:
        os.mkdir(_staged(folder))


def _bind_entry(entry: os.DirEntry[str]) -> None:
    target = _staged(entry.path)
    if entry.is_symlink():
        os.symlink(os.readlink(entry.path), target)
        return
    if entry.is_dir():
        os.mkdir(target)
    else:
        os.close(os.open(target, os.O_CREAT))
    with contextlib.suppress(
        OSError
    ):  # a mount that we may not see; nothing of Lambda's lies there
        mount(entry.path, target, "none", MS_BIND | MS_REC)


def _bind_hosts() -> None:
    """Where the Telemetry API finds its subscribers: ``sandbox.localdomain`` is the loopback."""
    hosts = _staged("/etc/hosts")
    if not os.path.isfile(hosts):
        return
    own = _staged("/.hosts")
    known = Path(hosts).read_text(errors="replace")
    Path(own).write_text(known.rstrip("\n") + "\n127.0.0.1 sandbox.localdomain sandbox\n")
    mount(own, hosts, "none", MS_BIND)
    os.unlink(own)


def _place(source: str, target: str, *, read_only: bool) -> None:
    mount(source, _staged(target), "none", MS_BIND | MS_REC)
    if read_only:
        make_read_only(_staged(target))


def _write_runtime(files: dict[str, str]) -> None:
    for name, text in files.items():
        path = Path(_staged(RUNTIME_DIR), name)
        path.write_text(text)
        path.chmod(0o755)


def _fill_opt(layers: Sequence[str], *, bind: bool) -> None:
    if bind:
        mount(layers[0], _staged(OPT), "none", MS_BIND | MS_REC)
        return
    mount("tmpfs", _staged(OPT), "tmpfs", 0, "mode=755")
    merge_layers([Path(layer) for layer in layers], _staged(OPT))


def _keep_interpreter(base_prefix: str, source: str) -> None:
    os.makedirs(_staged(base_prefix), exist_ok=True)
    mount(source, _staged(base_prefix), "none", MS_BIND | MS_REC)


class Namespace:
    """A built namespace, held by descriptors."""

    def __init__(self, builder_pid: int) -> None:
        self._user = self._open(builder_pid, "user")
        self._mount = self._open(builder_pid, "mnt")
        self._own_user = os.stat(self._user).st_ino == os.stat("/proc/self/ns/user").st_ino
        self._identity = os.stat(self._mount).st_ino

    @staticmethod
    def _open(pid: int, kind: str) -> int:
        return os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC)

    def enter(self) -> None:
        """Moves the calling (forked) process into the namespace."""
        if not self._own_user:
            setns(self._user, CLONE_NEWUSER)
        setns(self._mount, CLONE_NEWNS)

    @property
    def identity(self) -> int:
        """The inode number of the mount namespace."""
        return self._identity

    def close(self) -> None:
        """Lets go of the namespace; it ends with its last process."""
        os.close(self._user)
        os.close(self._mount)


def report_build(picture: Picture, answer: int) -> Callable[[int], None]:
    """What the guardian of a namespace runs: builds it, answers with one JSON object, and stays to
    kill what is in it when the host has ended.
    """

    def body(end_of_host: int) -> None:
        document = _try_to_build(picture)
        os.write(answer, json.dumps(document).encode() + b"\n")
        os.close(answer)
        wait_for_end(end_of_host)
        identity = os.stat("/proc/self/ns/mnt").st_ino
        kill_all(lambda: in_mount_namespace(identity))

    return body


def _try_to_build(picture: Picture) -> dict[str, object]:
    try:
        return {"extensions": build(picture)}
    except DiagnosticError as error:  # the layers' fault, not the kernel's
        return {"refusal": (error.reference, error.message, error.hint, error.exit_code)}
    except Exception as error:  # noqa: BLE001 - whatever it is, the host has to hear of it
        return {"error": str(error) or type(error).__name__}
