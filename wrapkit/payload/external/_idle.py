"""The last resort: an extension that does nothing but keep the environment going until its end."""

from ...lifecycle import HttpError
from .._report import report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._start import Started


def stay_idle(started: "Started", error: BaseException) -> int:
    """Says what went wrong, then answers every event with ``next``; the process's exit code.

    With the sockets closed the hook and other senders see at once that nobody listens.
    """
    report(f"the extension goes on without collecting telemetry, after {_place(error)}", error)
    started.close_listeners()
    started.api.sock.settimeout(None)
    try:
        return _answer_events(started)
    except (OSError, HttpError) as lost:
        report("the Extensions API is gone", lost)
        return 1


def _answer_events(started: "Started") -> int:
    api = started.api
    while True:
        if not api.next_outstanding:
            api.send_next(started.identifier)
        message = api.receive()
        if message is None:
            continue
        if message.head.status != 200:
            report(f"the host refused next: {message.head.status}")
            return 1
        # The body's other fields are of no interest, and reading JSON may be what went wrong.
        if b'"SHUTDOWN"' in message.body:
            return 0


def _place(error: BaseException) -> str:
    """Where ``error`` was raised: file and line, without the folder."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "an error"
    file_name = trace.tb_frame.f_code.co_filename.rpartition("/")[2]
    return f"an error in {file_name}:{trace.tb_lineno}"
