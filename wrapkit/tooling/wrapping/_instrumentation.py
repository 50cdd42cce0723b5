"""OpenTelemetry's instrumentors in the layer: which there are, and the packages that they need."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .._errors import USAGE, DiagnosticError

if TYPE_CHECKING:
    from collections.abc import Sequence

# The folder of the layer that has them; nothing of it is on sys.path.
FOLDER = "wrapkit/python"
# One release of opentelemetry-python-contrib, and the API that it was made with.
CONTRIB_VERSION = "0.66b1"
API_VERSION = "1.45.1"
# The instrumentations by the names that OpenTelemetry gives them, each with its package's.
INSTRUMENTATION = {
    "aiohttp-client": "aiohttp-client",
    "asyncpg": "asyncpg",
    "boto3": "boto3sqs",
    "celery": "celery",
    "django": "django",
    "falcon": "falcon",
    "fastapi": "fastapi",
    "flask": "flask",
    "grpc_aio_client": "grpc",
    "grpc_aio_server": "grpc",
    "grpc_client": "grpc",
    "grpc_server": "grpc",
    "httpx": "httpx",
    "jinja2": "jinja2",
    "mysql": "mysql",
    "psycopg": "psycopg",
    "psycopg2": "psycopg2",
    "pymemcache": "pymemcache",
    "pymongo": "pymongo",
    "pymysql": "pymysql",
    "pyramid": "pyramid",
    "redis": "redis",
    "sqlalchemy": "sqlalchemy",
    "sqlite3": "sqlite3",
    "starlette": "starlette",
    "tornado": "tornado",
}
ALL = "all"
# Amazon Linux 2 has glibc 2.26, which all of these are made for.
_PLATFORMS = {
    "x86_64": ("manylinux2014_x86_64", "manylinux_2_17_x86_64"),
    "arm64": ("manylinux2014_aarch64", "manylinux_2_17_aarch64"),
}
# Used from Python 3.10 on, the oldest that the packages are for.
_OLDEST = "3.10"
_TIMEOUT_S = 600


@dataclass(frozen=True)
class _Wheels:
    """One run of pip for one Python and one processor."""

    version: str
    platform: str


def chosen(names: Sequence[str]) -> tuple[str, ...]:
    """The instrumentations that ``names`` stand for, in a stable order.

    Raises:
        DiagnosticError: one of them is unknown.
    """
    unknown = [name for name in names if name not in (*INSTRUMENTATION, ALL)]
    if unknown:
        raise DiagnosticError(
            "unknown-instrumentation",
            f"there is no instrumentation {unknown[0]!r} to put into a layer",
            f"known: {', '.join((ALL, *INSTRUMENTATION))}; botocore, requests and urllib3 are in "
            "every layer",
            USAGE,
        )
    return tuple(INSTRUMENTATION if ALL in names else sorted(set(names)))


def install_instrumentation(names: Sequence[str], versions: Sequence[str], folder: Path) -> None:
    """Install what ``names`` need into ``folder``, with native parts for each Python version on
    both processors.

    Raises:
        DiagnosticError: pip is missing, or cannot get the packages.
    """
    packages = sorted({INSTRUMENTATION[name] for name in names})
    requirements = [
        f"opentelemetry-api=={API_VERSION}",
        # Of what OTEL_PROPAGATORS may list; the API refuses to load without one that it does.
        f"opentelemetry-propagator-b3=={API_VERSION}",
        "opentelemetry-propagator-aws-xray==1.0.2",
        *(f"opentelemetry-instrumentation-{name}=={CONTRIB_VERSION}" for name in packages),
    ]
    first, *others = [
        _Wheels(version, platform)
        for version in [v for v in versions if _number(v) >= _number(_OLDEST)] or [_OLDEST]
        for platform in _PLATFORMS
    ]
    _pip_install(requirements, first, folder)
    # Few have native parts, and theirs have the name of Python and processor in the file's name.
    native = [f"--no-deps {each}".split() for each in _native_distributions(folder)]
    for wheels in others if native else ():
        with tempfile.TemporaryDirectory(prefix="wrapkit-wheels-") as scratch:
            target = Path(scratch, "packages")
            _pip_install([part for each in native for part in each], wheels, target)
            _merge(target, folder)
    for unused in (folder / "bin", *folder.glob("*-stubs"), *folder.glob("*/*.c")):
        shutil.rmtree(unused) if unused.is_dir() else unused.unlink(missing_ok=True)


def _native_distributions(folder: Path) -> list[str]:
    """What of the installed has parts in machine code, as requirements."""
    return [
        "{}=={}".format(*record.parent.name.removesuffix(".dist-info").split("-")[:2])
        for record in sorted(folder.glob("*.dist-info/RECORD"))
        if ".so," in record.read_text(encoding="utf-8")
    ]


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _pip_install(requirements: Sequence[str], wheels: _Wheels, target: Path) -> None:
    platforms = [f"--platform={name}" for name in _PLATFORMS[wheels.platform]]
    command = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
        *("--no-input", "--no-compile", "--only-binary=:all:", "--implementation=cp"),
        *(f"--python-version={wheels.version}", *platforms, "--target", str(target)),
    ]
    done = subprocess.run(
        [*command, *requirements],
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        last_line = done.stderr.strip().rpartition("\n")[2]
        raise DiagnosticError(
            "packages-not-installed",
            f"pip did not install the instrumentation: {last_line}",
            "it needs pip beside wrapkit, and a package index that it can reach",
        )


def _merge(source: Path, folder: Path) -> None:
    """Adds what ``folder`` does not have."""
    for path in sorted(source.rglob("*")):
        target = folder / path.relative_to(source)
        if path.is_file() and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
