"""Has modules looked at as soon as somebody else has imported them, and never before.

Rule 1. The other finders find; this one asks them, and has a function called when the loader has
        executed the module. Nothing is imported for its own sake.
Rule 2. A module that fails to load fails as without wrapkit, its traceback included.
"""

import sys

from . import quietly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


class ImportHook:
    """A finder for ``sys.meta_path`` that knows a few modules by name.

    Args:
        watched: what to call with each module once it is loaded; failing in it costs a line.
    """

    __slots__ = ("_watched",)

    def __init__(self, watched: "Mapping[str, Callable[[Any], None]]") -> None:
        self._watched = watched

    def install(self) -> None:
        """Puts it in front of the other finders."""
        sys.meta_path.insert(0, self)

    def remove(self) -> None:
        """Takes it off again."""
        sys.meta_path.remove(self)

    def find_spec(self, name: str, path: "Any" = None, target: "Any" = None) -> "Any":
        """The spec of a watched module, as the other finders have it."""
        loaded = self._watched.get(name)
        if loaded is None:
            return None
        for finder in sys.meta_path:
            find_spec = getattr(finder, "find_spec", None)
            spec = find_spec(name, path, target) if find_spec and finder is not self else None
            if spec is not None:
                quietly(_call_after_execution, spec.loader, loaded)
                return spec
        return None


def _call_after_execution(loader: "Any", loaded: "Callable[[Any], None]") -> None:
    def exec_module(module: "Any") -> None:
        del loader.exec_module
        loader.exec_module(module)
        quietly(_bind, module)
        quietly(loaded, module)

    # The interpreter takes its import machinery out of the traceback of a module that fails to
    # load, as long as no other file's frame is in between.
    code = exec_module.__code__
    exec_module.__code__ = code.replace(co_filename="<frozen importlib._bootstrap_external>")
    loader.exec_module = exec_module


def _bind(module: "Any") -> None:
    """Makes a module an attribute of its package, as the interpreter is about to: who looks at it
    now may look for it there.
    """
    package, _, name = module.__name__.rpartition(".")
    if package in sys.modules:
        setattr(sys.modules[package], name, module)
