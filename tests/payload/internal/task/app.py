"""A function that does what its event says, and tells what it finds around itself."""

import inspect
import json
import logging
import os
import signal
import sys
import threading
import warnings

# What the shell in front of the interpreter sets by itself.
SHELL_VARIABLES = {"PWD", "OLDPWD", "SHLVL", "_"}
MODULES_AT_IMPORT = sorted(sys.modules)


class OrderError(Exception):
    pass


class StopFunction(BaseException):
    pass


def handler(event, context):
    return globals()[event["do"]](event, context)


def echo(event, context):
    return {"event": event, "request": context.aws_request_id}


def answer(event, context):
    return json.loads(os.environ["ANSWER"])


def state(event, context):
    main = sys.modules["__main__"]
    return {
        "environ": {k: v for k, v in sorted(os.environ.items()) if k not in SHELL_VARIABLES},
        "argv": sys.argv,
        "orig_argv": getattr(sys, "orig_argv", None),
        "path": sys.path,
        "meta_path": [str(finder) for finder in sys.meta_path if not _is_wrapkits(finder)],
        "path_hooks": [str(hook) for hook in sys.path_hooks],
        "main": {name: str(value) for name, value in vars(main).items()},
        "loader": [main.__loader__.name, main.__loader__.path],
        "threads": [thread.name for thread in threading.enumerate()],
        "signals": [str(signal.getsignal(number)) for number in range(1, 32)],
        "excepthook": sys.excepthook is sys.__excepthook__,
        "trace": [str(sys.gettrace()), str(sys.getprofile())],
        "logging": [str(handler) for handler in logging.getLogger().handlers],
        "callers": _callers(),
        "recursion_limit": sys.getrecursionlimit(),
        "warnoptions": sys.warnoptions,
        "flags": str(sys.flags),
    }


def _is_wrapkits(finder):
    """The one thing of wrapkit's that shows: how it learns of a library's import."""
    return type(finder).__module__.partition(".")[0] == "_wrapkit"


def _callers():
    """The stack up to the runtime's script: launch.py stands below it, and says so."""
    frames = [[frame.filename, frame.lineno, frame.function] for frame in inspect.stack()]
    return frames[: [name for _, _, name in frames].index("<module>") + 1]


def descriptors(event, context):
    found = []
    for name in sorted(os.listdir("/proc/self/fd"), key=int):
        try:
            inherited = os.get_inheritable(int(name))
        except OSError:  # the one that lists the folder
            continue
        found.append([os.readlink("/proc/self/fd/" + name).partition(":")[0], inherited])
    return found


def modules(event, context):
    return MODULES_AT_IMPORT


def fail(event, context):
    _fail_within(event)


def _fail_within(event):
    raise OrderError("no such order: " + event["order"])


def chain(event, context):
    try:
        _fail_within({"order": "7"})
    except OrderError as error:
        raise KeyError("gone") from error


def chatter(event, context):
    print("to stdout")
    sys.stderr.write("to stderr\n")
    logging.getLogger().warning("a warning")
    warnings.warn("of the caller", stacklevel=3)


def large(event, context):
    """A text that is this long as JSON, and a third of it in characters."""
    count, rest = divmod(event["bytes"] - 2, 3)
    return count * "\u20ac" + rest * "x"


def unmarshallable(event, context):
    return {"thread": threading.Lock}


def forked(event, context):
    child = os.fork()
    if child == 0:
        sys.exit(9)
    return os.waitpid(child, 0)[1] >> 8


def stop(event, context):
    raise StopFunction("by the function")


def interrupt(event, context):
    raise KeyboardInterrupt


def leave(event, context):
    sys.exit(event["code"])


def vanish(event, context):
    os._exit(event["code"])


def no_parameters():
    return None


not_callable = 5
