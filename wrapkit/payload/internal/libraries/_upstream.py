"""OpenTelemetry's own instrumentors, for the libraries that the layer was generated for.

Rule 1. An instrumentor is loaded when the function has imported its library, from the folder
        ``wrapkit/python`` of the layer. ``sys.path`` does not have that folder: it is asked when no
        other finder of the interpreter knows a module, so it shadows nothing of anybody's.
Rule 2. A library of a version that the instrumentor was not made for is left alone, as is one whose
        instrumentor cannot be loaded; a line says so, and nothing else happens.
"""

import sys

from ..._report import describe, report_once
from .. import quietly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, Optional

    # Name, module and class of an instrumentor; distribution of its library, and the versions that
    # it was made for: from the first on, below the second (empty for no limit).
    Instrumentor = tuple[str, str, str, str, str, str]


class LayerFinder:
    """Finds what is in a folder, at the end of ``sys.meta_path``."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._known: Optional[set[str]] = None

    def install(self) -> None:
        """Puts it behind all other finders."""
        sys.meta_path.append(self)

    def find_spec(
        self,
        name: str,
        path: "Any" = None,  # noqa: ARG002 - where the parent is, which is elsewhere
        target: "Any" = None,
    ) -> "Any":
        """The spec of a module in the folder; of a package that is elsewhere, it adds to it."""
        top, _, rest = name.partition(".")
        if top not in self._names():
            return None
        from importlib.machinery import PathFinder

        parent = "/".join([self._folder, *name.split(".")[:-1]]) if rest else self._folder
        return PathFinder.find_spec(name, [parent], target)

    def find_distributions(self, context: "Any" = None) -> "Iterable[Any]":
        """What ``importlib.metadata`` asks, behind the others as well."""
        from importlib.metadata import DistributionFinder, MetadataPathFinder

        name = getattr(context, "name", None)
        found = MetadataPathFinder.find_distributions(
            DistributionFinder.Context(name=name, path=[self._folder])
        )
        # The backport `importlib_metadata`, where it is loaded, takes the interpreter's place from
        # behind all others; what it finds goes first all the same.
        behind = sys.meta_path[sys.meta_path.index(self) + 1 :] if self in sys.meta_path else []
        later = [find for find in (_distributions_of(finder) for finder in behind) if find]
        if not later:
            return found
        return [
            distribution
            for distribution in found
            if not _is_found(later, DistributionFinder.Context(name=distribution.metadata["Name"]))
        ]

    def _names(self) -> "set[str]":
        if self._known is None:
            import os

            self._known = {entry.partition(".")[0] for entry in os.listdir(self._folder)}
        return self._known


def _distributions_of(finder: "Any") -> "Any":
    return getattr(finder, "find_distributions", None)


def _is_found(finders: "Iterable[Any]", context: "Any") -> bool:
    return any(next(iter(find(context)), None) is not None for find in finders)


def watched(
    names: "Iterable[str]", disabled: "Iterable[str]"
) -> "Mapping[str, Callable[[Any], None]]":
    """What to call with which module, of the instrumentors that the layer has."""
    found = {}
    for module, instrumentors in INSTRUMENTORS.items():
        wanted = [each for each in instrumentors if _is_wanted(each, names, disabled)]
        if wanted:
            found[module] = _loading(wanted)
    return found


def _is_wanted(
    instrumentor: "Instrumentor", names: "Iterable[str]", disabled: "Iterable[str]"
) -> bool:
    return instrumentor[0] in names and instrumentor[0] not in disabled


def _loading(instrumentors: "list[Instrumentor]") -> "Callable[[Any], None]":
    done: set[str] = set()

    def load(module: "Any") -> None:
        for instrumentor in instrumentors:
            if instrumentor[0] not in done:
                done.add(instrumentor[0])
                quietly(_instrument, instrumentor, module)

    return load


def _instrument(instrumentor: "Instrumentor", module: "Any") -> None:
    name, module_name, class_name, distribution, first, below = instrumentor
    version = _version(distribution, module)
    if version and not _parts(first) <= _parts(version):
        report_once(f"version {name}", f"{name} {version} is not instrumented: it is too old")
        return
    if version and below and not _parts(version) < _parts(below):
        report_once(f"version {name}", f"{name} {version} is not instrumented: it is too new")
        return
    try:
        __import__(module_name)
        # wrapkit has looked at the version; OpenTelemetry would look through all that is installed.
        getattr(sys.modules[module_name], class_name)().instrument(skip_dep_check=True)
    except Exception as error:  # noqa: BLE001 - what clashes is switched off, and hurts nothing
        if not (isinstance(error, ValueError) and _is_refused_by_the_api()):
            report_once(f"load {name}", f"{name} is not instrumented: {describe(error)}")


def _is_refused_by_the_api() -> bool:
    """Whether the API does not load for a propagator that it does not know, which has been said: it
    would be the same line for each library.
    """
    from ... import _env
    from ..._placement import has_unknown_propagators

    return "opentelemetry.propagate" not in sys.modules and has_unknown_propagators(
        _env.variables()
    )


def _version(distribution: str, module: "Any") -> str:
    """The version of what is installed beside ``module``; empty where that cannot be told."""
    import os

    file = getattr(module, "__file__", None)
    if not distribution or not file:
        return ""
    folder = file
    for _ in range(module.__name__.count(".") + (2 if "__init__" in file else 1)):
        folder = os.path.dirname(folder)
    wanted = distribution.lower().replace("-", "_")
    for entry in os.listdir(folder):
        if not entry.endswith(".dist-info"):
            continue
        name, _, version = entry[: -len(".dist-info")].partition("-")
        if name.lower().replace("-", "_") == wanted:
            return str(version)
    return ""


def _parts(version: str) -> "list[int]":
    """The release of a version, for comparing: what follows the numbers does not count."""
    import re

    numbers = [int(part) for part in re.findall(r"\d+", version.partition("+")[0])][:4]
    while numbers and not numbers[-1]:
        del numbers[-1]
    return numbers


_AT = "opentelemetry.instrumentation."
# The module whose import means that the library is in use.
INSTRUMENTORS: "dict[str, list[Instrumentor]]" = {
    "aiohttp": [
        ("aiohttp-client", _AT + "aiohttp_client", "AioHttpClientInstrumentor", "aiohttp", "3", "4")
    ],
    "asyncpg": [("asyncpg", _AT + "asyncpg", "AsyncPGInstrumentor", "asyncpg", "0.12", "")],
    "boto3": [("boto3", _AT + "boto3sqs", "Boto3SQSInstrumentor", "boto3", "1", "2")],
    "celery": [("celery", _AT + "celery", "CeleryInstrumentor", "celery", "4", "6")],
    # Its settings are known by then, and the middleware is not loaded yet.
    "django.core.handlers.base": [
        ("django", _AT + "django", "DjangoInstrumentor", "django", "2", "")
    ],
    "falcon": [("falcon", _AT + "falcon", "FalconInstrumentor", "falcon", "1.4.1", "5")],
    "fastapi": [("fastapi", _AT + "fastapi", "FastAPIInstrumentor", "fastapi", "0.92", "1")],
    "flask": [("flask", _AT + "flask", "FlaskInstrumentor", "flask", "1", "")],
    "grpc": [
        ("grpc_client", _AT + "grpc", "GrpcInstrumentorClient", "grpcio", "1.42", ""),
        ("grpc_server", _AT + "grpc", "GrpcInstrumentorServer", "grpcio", "1.42", ""),
    ],
    "grpc.aio": [
        ("grpc_aio_client", _AT + "grpc", "GrpcAioInstrumentorClient", "grpcio", "1.42", ""),
        ("grpc_aio_server", _AT + "grpc", "GrpcAioInstrumentorServer", "grpcio", "1.42", ""),
    ],
    "httpx": [("httpx", _AT + "httpx", "HTTPXClientInstrumentor", "httpx", "0.18", "")],
    "jinja2": [("jinja2", _AT + "jinja2", "Jinja2Instrumentor", "jinja2", "2.7", "4")],
    "mysql.connector": [
        ("mysql", _AT + "mysql", "MySQLInstrumentor", "mysql-connector-python", "8", "")
    ],
    "psycopg": [("psycopg", _AT + "psycopg", "PsycopgInstrumentor", "psycopg", "3.1", "")],
    # Its distribution has one of two names.
    "psycopg2": [("psycopg2", _AT + "psycopg2", "Psycopg2Instrumentor", "", "", "")],
    "pymemcache": [
        ("pymemcache", _AT + "pymemcache", "PymemcacheInstrumentor", "pymemcache", "1.3.5", "5")
    ],
    "pymongo": [("pymongo", _AT + "pymongo", "PymongoInstrumentor", "pymongo", "3.1", "5")],
    "pymysql": [("pymysql", _AT + "pymysql", "PyMySQLInstrumentor", "PyMySQL", "", "2")],
    "pyramid": [("pyramid", _AT + "pyramid", "PyramidInstrumentor", "pyramid", "1.7", "")],
    "redis": [("redis", _AT + "redis", "RedisInstrumentor", "redis", "2.6", "")],
    "sqlalchemy": [
        ("sqlalchemy", _AT + "sqlalchemy", "SQLAlchemyInstrumentor", "sqlalchemy", "1", "2.1")
    ],
    "sqlite3": [("sqlite3", _AT + "sqlite3", "SQLite3Instrumentor", "", "", "")],
    "starlette": [
        ("starlette", _AT + "starlette", "StarletteInstrumentor", "starlette", "0.13", "")
    ],
    "tornado": [("tornado", _AT + "tornado", "TornadoInstrumentor", "tornado", "5.1.1", "")],
}
