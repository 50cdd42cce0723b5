"""Where the files of a layer come from: the package's folder, and the wrapper scripts."""

from __future__ import annotations

from pathlib import Path

import wrapkit

from .._errors import DiagnosticError

PACKAGE = Path(wrapkit.__file__).parent


def wrappers(language: str, package: Path = PACKAGE) -> Path:
    """The folder with the wrapper scripts of a language.

    A wheel carries them inside the package; a checkout, and with it an editable install, has them
    beside it.
    """
    candidates = [package / "_wrappers", package.parent / "wrappers"]
    for candidate in candidates:
        if (candidate / language).is_dir():
            return candidate / language
    raise DiagnosticError(
        "incomplete-installation",
        f"the wrapper scripts for {language} are missing from this installation in {package}",
        "install wrapkit again, from a wheel or from a complete checkout",
    )


def modules(part: str, package: Path = PACKAGE) -> list[Path]:
    """The Python files of ``lifecycle`` or ``payload`` in a stable order, without entry scripts."""
    return sorted(path for path in (package / part).rglob("*.py") if path.name.startswith("_"))
