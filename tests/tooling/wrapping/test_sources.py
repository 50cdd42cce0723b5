"""Where the files of a layer come from, in a wheel and in a checkout."""

from __future__ import annotations

import pytest

from wrapkit.tooling._errors import DiagnosticError
from wrapkit.tooling.wrapping import _sources


@pytest.fixture
def package(tmp_path):
    """An installed package without any wrappers yet."""
    folder = tmp_path / "site/wrapkit"
    folder.mkdir(parents=True)
    return folder


def test_a_wheel_carries_its_wrappers(package):
    """They win over whatever folder of that name stands beside the package."""
    (package / "_wrappers/python").mkdir(parents=True)
    (package.parent / "wrappers/python").mkdir(parents=True)

    assert _sources.wrappers("python", package) == package / "_wrappers/python"


def test_a_checkout_has_them_beside_the_package(package):
    """An editable install looks there, too."""
    (package.parent / "wrappers/python").mkdir(parents=True)

    assert _sources.wrappers("python", package) == package.parent / "wrappers/python"


def test_an_installation_without_wrappers(package):
    """Something is missing that the user can repair."""
    with pytest.raises(DiagnosticError, match="missing from this installation") as caught:
        _sources.wrappers("python", package)

    assert caught.value.hint


def test_entry_scripts_are_no_modules(package):
    """They stand beside the packages in a layer, not in them."""
    (package / "payload/internal").mkdir(parents=True)
    for name in ("__init__.py", "_env.py", "launch.py", "internal/__init__.py", "ruff.toml"):
        (package / "payload" / name).touch()

    names = [path.relative_to(package).as_posix() for path in _sources.modules("payload", package)]

    assert names == ["payload/__init__.py", "payload/_env.py", "payload/internal/__init__.py"]
