"""Handlers of every shape that can be called, and what they may do to the process they are in."""

import asyncio
import atexit
import decimal
import functools
import gc
import logging
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor


def handler(event, context):
    """Does what its event names; all that does not end the process."""
    return globals()["do_" + event["do"]](event)


class Instance:
    def __call__(self, event, context):
        return {"instance": event}

    def method(self, event, context):
        return {"method": event}

    @staticmethod
    def static(event, context):
        return {"static": event}


class Class:
    """A class as a handler: the instance is what it returns."""

    def __init__(self, event, context):
        self.event = event


class Made(dict):  # type: ignore[type-arg]
    """A class as a handler whose instances can be marshalled."""

    def __init__(self, event, context):
        super().__init__(made=event)


def _partial(extra, event, context):
    return [extra, event]


def decorated(function):
    @functools.wraps(function)
    def wrapper(*arguments):
        return {"decorated": function(*arguments)}

    return wrapper


instance = Instance()
method = instance.method
static = Instance.static
partial = functools.partial(_partial, "extra")
small = lambda event, context: "lambda"  # noqa: E731
builtin = max


@decorated
def wrapped(event, context):
    return 1


async def coroutine(event, context):
    return 1


def generator(event, context):
    yield 1


def __getattr__(name):
    if name == "virtual":
        return lambda event, context: "made on demand"
    raise AttributeError(name)


# What is returned.


def do_bytes(event):
    return b"bytes"


def do_set(event):
    return {1}


def do_decimal(event):
    return decimal.Decimal("1.50")


def do_not_a_number(event):
    return [float("nan"), float("inf")]


def do_keys(event):
    return {1: 2, None: 3, 1.5: 4}


def do_bad_key(event):
    return {(1, 2): 3}


def do_circle(event):
    circle = []
    circle.append(circle)
    return circle


def do_deep(event):
    deep = []
    for _ in range(400):
        deep = [deep]
    return deep


def do_nothing(event):
    return None


# What is raised.


class OwnTextError(Exception):
    def __str__(self):
        return "text of its own: " + str(self.args)


def do_own_text(event):
    raise OwnTextError("a", 1)


def do_long_message(event):
    raise ValueError("x" * 10_000)


def do_no_message(event):
    raise ValueError


def do_assertion(event):
    assert event is None, "asserted"


def do_recursion(event):
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(200)  # the whole stack becomes a header
    try:
        return endless(event)
    finally:
        sys.setrecursionlimit(limit)


def endless(event):
    return endless(event)


def do_memory(event):
    raise MemoryError("made up")


def do_stop_iteration(event):
    raise StopIteration(5)


def do_context(event):
    try:
        raise KeyError("first")
    finally:
        raise IndexError("second")


def do_no_traceback(event):
    raise OSError(2, "No such file", "name").with_traceback(None)


def do_group(event):
    kind = getattr(__import__("builtins"), "ExceptionGroup", None)
    raise kind("several", [ValueError(1), KeyError(2)]) if kind else ValueError("no groups")


def do_thread_exit(event):
    thread = threading.Thread(target=sys.exit, args=(3,))
    thread.start()
    thread.join()


# What is done to the process.


def do_threads(event):
    found = []
    threads = [threading.Thread(target=found.append, args=(n,), daemon=n % 2) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with ThreadPoolExecutor(2) as pool:
        return sorted(found) + list(pool.map(str, range(3)))


def do_left_thread(event):
    threading.Thread(target=threading.Event().wait, args=(600,), daemon=True).start()
    return threading.active_count()


def do_event_loop(event):
    async def add(a, b):
        await asyncio.sleep(0)
        return a + b

    return asyncio.run(add(1, 2))


def do_processes(event):
    ours, theirs = multiprocessing.Pipe()
    context = multiprocessing.get_context("fork")
    process = context.Process(target=theirs.send, args=([1, os.environ.get("_HANDLER")],))
    process.start()
    process.join(30)
    echoed = subprocess.run(["/bin/echo", "child"], stdout=subprocess.PIPE, timeout=30)
    return [ours.recv(), process.exitcode, echoed.stdout.decode()]


def do_signals(event):
    seen = []
    signal.signal(signal.SIGUSR1, lambda *_: seen.append("usr1"))
    signal.signal(signal.SIGALRM, lambda *_: seen.append("alarm"))
    os.kill(os.getpid(), signal.SIGUSR1)
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    while "alarm" not in seen:
        signal.sigtimedwait([], 0.05)
    return [seen, [str(signal.getsignal(number)).split(" at ")[0] for number in range(1, 20)]]


def do_interrupted(event):
    def interrupt(*_):
        raise TimeoutError("by a signal")

    signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    threading.Event().wait(30)


def do_environ(event):
    os.environ["ADDED"] = "yes"
    del os.environ["TZ"]
    return sorted(name for name in os.environ if name not in ("PWD", "OLDPWD", "SHLVL", "_"))


def do_streams(event):
    print("to stdout", flush=True)
    print("to stderr", file=sys.stderr)
    os.write(1, b"raw\n")
    os.write(2, b"raw\n")
    logging.getLogger("named").error("logged %s", 1)
    logging.getLogger().setLevel("DEBUG")
    logging.getLogger().debug("details")
    warnings.warn("as a warning", UserWarning, stacklevel=1)


def do_collector(event):
    gc.collect()
    gc.disable()
    return [gc.isenabled(), gc.get_threshold(), sys.getrecursionlimit(), sys.getswitchinterval()]


def do_tracing(event):
    lines = []
    sys.settrace(lambda frame, *_: lines.append(frame.f_code.co_name))
    do_nothing(event)
    sys.settrace(None)
    return lines


def do_hooks(event):
    return [
        sys.excepthook is sys.__excepthook__,
        threading.excepthook.__module__,
        sys.displayhook is sys.__displayhook__,
        sys.breakpointhook is sys.__breakpointhook__,
        sys.getprofile(),
        warnings.filters == sys.modules["_warnings"].filters,
    ]


def do_at_exit(event):
    atexit.register(print, "at exit")
    sys.exit(0)


def do_surrogate(event):
    return "\ud800"  # some versions of the runtime client cannot encode it, and end


def do_hook_of_its_own(event):
    sys.excepthook = lambda kind, error, traceback: print(kind.__name__, error, bool(traceback))
    raise KeyboardInterrupt("seen by its own hook")


def do_abort(event):
    os.abort()


def do_kill(event):
    os.kill(os.getpid(), signal.SIGKILL)


def do_terminate(event):
    os.kill(os.getpid(), signal.SIGTERM)


def do_exit_text(event):
    sys.exit("leaving")


def do_exit_none(event):
    sys.exit()


def do_quit(event):
    raise SystemExit(300)


def do_base(event):
    class Own(BaseException):
        pass

    raise Own("beyond Exception")


def do_generator_exit(event):
    raise GeneratorExit


def do_cancelled(event):
    raise asyncio.CancelledError


def do_thread_at_exit(event):
    threading.Thread(target=print, args=("from a thread",)).start()
    sys.exit(5)
