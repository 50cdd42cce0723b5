"""Runs the runtime's own script in ``__main__`` as the bare interpreter would, with the hook set.

Rule 1. Whatever fails before the script runs fails in ``Launch(...)``: ``launch.py`` then replaces
        the process by the bare command line, which is what the function would have had.
Rule 2. Nothing is loaded before the runtime loads it: a function may bring its own version of the
        runtime client, and of all that the client imports.
Rule 3. What escapes from the script shows no frame of wrapkit. The one trace that is left is two
        frames at the bottom of the stack, for those who walk it.
"""

import sys

from .. import _env
from . import quietly
from ._on_import import ImportHook

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Optional

    from ._hook import Hook

# The runtime client's module that has loaded all that the hook patches.
RUNTIME_CLIENT = "awslambdaric.bootstrap"
_ROOT = __name__.partition(".")[0]


class Launch:
    """The runtime's script or module, ready to run in place of ``launch.py``.

    Args:
        main: the globals of ``launch.py``, which is ``__main__``; its ``sys.argv`` is followed by
            ``SCRIPT [ARGUMENT ...]`` or ``-m MODULE [ARGUMENT ...]``.
    """

    def __init__(self, main: "dict[str, Any]") -> None:
        self._main = main
        self._launch_file = main["__file__"]
        self._bundle = main.get("bundle") or {}
        self._hook: Optional[Hook] = None
        self._client_hook = ImportHook({RUNTIME_CLIENT: self._install})
        target = sys.argv[1]
        self._module = sys.argv[2] if target == "-m" else None
        self._script = "" if self._module else _main_file(target)
        self._code: Any = None if self._module else _compiled(self._script)
        self._environ = _env.variables()
        self._mode = _env.mode(self._environ)

    def run(self) -> None:
        """Runs the script; what it raises leaves as it would without wrapkit."""
        if self._mode != "external" and not _env.flag(self._environ, _env.OTEL_SDK_DISABLED):
            self._client_hook.install()
        self._restore_interpreter()
        try:
            if self._module:
                import runpy

                # What the interpreter itself calls for -m.
                runpy._run_module_as_main(self._module)  # type: ignore[attr-defined]
            else:
                exec(self._code, self._main)  # noqa: S102 - the runtime's script, as it is
        except BaseException as error:
            if self._hook is not None:
                self._hook.escaped(error)
            if not isinstance(error, SystemExit):
                sys.excepthook = _without_frames_of(self._launch_file, sys.excepthook)
            raise
        finally:
            if self._hook is not None:
                quietly(self._hook.close)

    def _install(self, bootstrap: "Any") -> None:
        if "later" in self._bundle:
            self._bundle["unpack"](self._bundle.pop("later"))
        from ._hook import install

        self._client_hook.remove()
        self._hook = install(bootstrap, self._mode, self._environ)
        if self._hook is not None:
            from .libraries import watch

            quietly(watch, self._environ)

    def _restore_interpreter(self) -> None:
        """``sys`` and ``__main__`` as the bare interpreter sets them up."""
        del sys.path[0]  # what launch.py put there
        if not (sys.flags.isolated or getattr(sys.flags, "safe_path", False)):
            sys.path[0] = _main_folder(self._script)
        if hasattr(sys, "orig_argv"):  # since 3.10
            sys.orig_argv.remove(sys.argv[0])
        sys.argv[:] = ["-m", *sys.argv[3:]] if self._module else sys.argv[1:]
        for name in [name for name in self._main if not name.startswith("__")]:
            del self._main[name]
        if self._module:  # runpy sets it up, once it has found the module
            del self._main["__file__"], self._main["__cached__"]
            self._main["__loader__"] = sys.modules["_frozen_importlib"].BuiltinImporter
        else:
            self._main["__file__"] = self._script
            self._main["__loader__"] = type(self._main["__loader__"])("__main__", self._script)


def _main_file(script: str) -> str:
    """``__main__.__file__`` of a script that is started as ``script``."""
    if sys.version_info >= (3, 9) and not script.startswith("/"):
        import os

        return os.getcwd() + "/" + script  # not normalised by the interpreter either
    return script


def _compiled(script: str) -> "Any":
    with open(script, "rb") as file:
        return compile(file.read(), script, "exec", dont_inherit=True)


def _main_folder(script: str) -> str:
    """The first of ``sys.path``: the script's folder, the current one for a module."""
    import os

    return os.path.dirname(os.path.realpath(script)) if script else os.getcwd()


def _without_frames_of(launch_file: str, excepthook: "Any") -> "Any":
    """``excepthook`` for a traceback without wrapkit's frames.

    Set when the exception is on its way out only, so the function never sees it.
    """

    def show(
        kind: "type[BaseException]", error: BaseException, traceback: "Optional[TracebackType]"
    ) -> None:
        traceback = visible(traceback, launch_file)
        excepthook(kind, error.with_traceback(traceback), traceback)

    return show


def visible(traceback: "Optional[TracebackType]", launch_file: str) -> "Optional[TracebackType]":
    """The traceback without the frames of ``launch.py`` and of this package."""
    while traceback is not None and _is_own(traceback, launch_file):
        traceback = traceback.tb_next
    rest = traceback
    while rest is not None and rest.tb_next is not None:
        if _is_own(rest.tb_next, launch_file):
            rest.tb_next = rest.tb_next.tb_next
        else:
            rest = rest.tb_next
    return traceback


def _is_own(traceback: "TracebackType", launch_file: str) -> bool:
    frame = traceback.tb_frame
    package = frame.f_globals.get("__package__") or ""
    return frame.f_code.co_filename == launch_file or package.partition(".")[0] == _ROOT
