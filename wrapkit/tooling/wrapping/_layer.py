"""What a layer holds in each mode, and the folder with it.

docs/concepts/architecture.md, "The picture of /opt", is the contract.
"""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wrapkit import __version__

from .._errors import USAGE, DiagnosticError
from . import _sources
from ._byte_code import bundle_modules, compile_packages
from ._instrumentation import FOLDER, chosen, install_instrumentation
from ._interpreters import LAMBDA_VERSIONS, find_interpreter
from ._replace import replaced_folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LANGUAGES = ("python",)
MODES = ("both", "internal", "external")
DEFAULT_MODE = "both"

# One script under the names that functions know: opentelemetry-lambda's, ADOT's, and one that
# no other layer has.
EXEC_WRAPPERS = ("otel-handler", "otel-instrument", "wrapkit-handler")
_CHAIN_LINE = b"_wrapkit_chain_default=\n"

# What the hook loads at Init, in the order of its imports.
INIT_MODULES = (
    "__init__",
    "payload/__init__",
    "payload/internal/__init__",
    "payload/_report",
    "payload/_env",
    "payload/internal/_on_import",
    "payload/internal/_launch",
)
# The same, once the runtime client has loaded what these import.
LATER_MODULES = (
    "payload/_span",
    "payload/_invocation",
    "payload/internal/_hook",
    "payload/internal/_patches",
    "payload/internal/libraries/__init__",
)
LATER_MODULES_OF = {
    "both": ("payload/internal/_datagrams",),
    "internal": ("payload/_env_export", "payload/internal/_direct"),
}

# Where Lambda extracts layers.
OPT = "/opt"
PACKAGES = "wrapkit/_wrapkit"
MARKER = "wrapkit/wrapkit.json"

# The one module that is written rather than copied; it is imported in any case, so hook and runner
# learn what the layer was generated with without reading a file for it.
_INIT = '''"""Generated: wrapkit's lifecycle core and payload, copied for a layer."""

__version__ = {version!r}
# What holds where the function has no such variable, or an empty one.
DEFAULTS = {defaults!r}
# OpenTelemetry's instrumentors that are in wrapkit/python.
INSTRUMENTATION = {instrumentation!r}
'''


@dataclass(frozen=True)
class Layer:
    """A layer folder that was written.

    ``interpreters`` maps each Python version with byte code to the interpreter that made it, and
    ``files`` each file's path in the folder to its size.
    """

    output: Path
    language: str
    mode: str
    interpreters: dict[str, str]
    files: dict[str, int]
    instrumentation: tuple[str, ...] = ()

    @property
    def missing_versions(self) -> list[str]:
        """Lambda's Python versions that have to compile the modules at each start."""
        return [version for version in LAMBDA_VERSIONS if version not in self.interpreters]


@dataclass(frozen=True)
class _File:
    source: Path
    executable: bool = False


def generate_layer(
    language: str,
    output: Path,
    *,
    mode: str = DEFAULT_MODE,
    versions: tuple[str, ...] = (),
    defaults: Mapping[str, str] | None = None,
    instrumentation: tuple[str, ...] = (),
    force: bool = False,
) -> Layer:
    """Write the layer folder; what stood at ``output`` before stays until all is built.

    Args:
        versions: the Python versions that get byte code (``"3.12"``); by default those of Lambda's
            runtimes that have an interpreter on this machine.
        defaults: variables, for functions that do not have them.
        instrumentation: OpenTelemetry's instrumentors that go into the layer, by name, ``all`` for
            all that there are; pip gets them from the package index.
        force: replace a folder that wrapkit did not write.

    Raises:
        DiagnosticError: unknown language, no such interpreter, ``output`` not writable or not ours.
    """
    _check_language(language)
    names = chosen(instrumentation) if mode != "external" else ()
    interpreters = _interpreters(versions)
    with replaced_folder(output, MARKER, force=force) as folder:
        sources = _files(language, mode)
        _copy(sources, folder)
        _chain(folder, sources, (defaults or {}).get("WRAPKIT_CHAIN", ""))
        _write(folder / PACKAGES / "__init__.py", _init(mode, defaults or {}, names))
        if names:
            install_instrumentation(names, versions or LAMBDA_VERSIONS, folder / FOLDER)
        for interpreter in interpreters.values():
            for root in (PACKAGES, FOLDER) if names else (PACKAGES,):
                compile_packages(interpreter, folder / root, f"{OPT}/{root}")
            if mode != "external":
                _bundle(interpreter, folder, mode)
        _write(folder / MARKER, _description(language, mode, interpreters, names))
        _set_modes(folder, {folder / path for path in sources if sources[path].executable})
        files = {
            path.relative_to(folder).as_posix(): path.stat().st_size
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
    return Layer(output, language, mode, interpreters, files, names)


def _bundle(interpreter: str, folder: Path, mode: str) -> None:
    bundle_modules(
        interpreter,
        folder / "wrapkit",
        f"{OPT}/wrapkit",
        unpack=_sources.PACKAGE / "payload/unpack.py",
        modules=[f"_wrapkit/{module}.py" for module in INIT_MODULES],
        later=[f"_wrapkit/{module}.py" for module in (*LATER_MODULES, *LATER_MODULES_OF[mode])],
    )


def _init(mode: str, defaults: Mapping[str, str], instrumentation: tuple[str, ...]) -> str:
    known = {name: defaults[name] for name in sorted(defaults)}
    return _INIT.format(
        version=__version__,
        defaults={**known, "WRAPKIT_MODE": mode},
        instrumentation=instrumentation,
    )


def _check_language(language: str) -> None:
    if language not in LANGUAGES:
        raise DiagnosticError(
            "unknown-language",
            f"there are no wrapper scripts for {language!r}",
            f"known languages: {', '.join(LANGUAGES)}",
            USAGE,
        )


def _interpreters(versions: tuple[str, ...]) -> dict[str, str]:
    found = {version: find_interpreter(version) for version in versions or LAMBDA_VERSIONS}
    for version, interpreter in found.items():
        if versions and interpreter is None:
            raise DiagnosticError(
                "python-not-found",
                f"no Python {version} was found to make its byte code",
                f"put python{version} on PATH or install it with pyenv",
            )
    return {version: path for version, path in found.items() if path is not None}


def _files(language: str, mode: str) -> dict[str, _File]:
    """The files to copy, by their path in the layer."""
    scripts = _sources.wrappers(language)
    payload = _sources.PACKAGE / "payload"
    files = {}
    if mode != "external":
        for name in EXEC_WRAPPERS:
            files[name] = _File(scripts / "otel-handler", executable=True)
        files["wrapkit/launch.py"] = _File(payload / "launch.py")
    if mode != "internal":
        files["extensions/wrapkit"] = _File(scripts / "wrapkit-extension", executable=True)
        files["wrapkit/runner.py"] = _File(payload / "runner.py")
    unused = {"internal": payload / "external", "external": payload / "internal"}.get(mode)
    for part in ("lifecycle", "payload"):
        for module in _sources.modules(part):
            if unused is None or unused not in module.parents:
                path = module.relative_to(_sources.PACKAGE).as_posix()
                files[f"{PACKAGES}/{path}"] = _File(module)
    return files


def _copy(files: dict[str, _File], folder: Path) -> None:
    for path, file in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.source.read_bytes())


def _chain(folder: Path, sources: dict[str, _File], chain: str) -> None:
    """Tell the exec wrappers what runs after them, unless the function says otherwise."""
    line = f"_wrapkit_chain_default={shlex.quote(chain)}\n" if chain else _CHAIN_LINE.decode()
    for name in EXEC_WRAPPERS:
        if name in sources:
            script = (folder / name).read_bytes()
            (folder / name).write_bytes(script.replace(_CHAIN_LINE, line.encode(), 1))


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _set_modes(folder: Path, executables: set[Path]) -> None:
    """Whatever the umask says: Lambda runs the function as another user."""
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() or path in executables else 0o644)


def _description(
    language: str, mode: str, interpreters: dict[str, str], instrumentation: tuple[str, ...]
) -> str:
    description = {
        "wrapkit": __version__,
        "language": language,
        "mode": mode,
        "python": list(interpreters),
        "instrumentation": list(instrumentation),
    }
    return json.dumps(description, indent=2) + "\n"
