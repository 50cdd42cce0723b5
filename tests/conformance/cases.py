"""The cases that a host of Lambda functions, or a party in one, is judged by.

Sources: D the AWS Lambda developer guide ("Using the Lambda Extensions API", "Lambda runtime API",
"Telemetry API", "Lambda execution environment lifecycle", "Building a custom runtime"); R the code
of AWS's runtime interface emulator (internal/lambda: rapi, rapid, core, rapidcore); C lines that
the real platform wrote, as published; I an inference from them.

A test says by ``@pytest.mark.case(number, ...)`` which cases it shows; test_every_case.py holds
that each has one.
"""

from __future__ import annotations

from typing import NamedTuple


class Case(NamedTuple):
    number: int
    judges: str
    stimulus: str
    expected: str
    source: str


HOST, CLIENT = "host", "client"

CASES = [
    Case(*row)
    for row in (
        (1, HOST, "register without a name", "403 Extension.InvalidExtensionName", "R"),
        (2, HOST, "register an external", "200, a UUID, three facts, no account id", "D,R"),
        (3, HOST, "register with accept-feature foo, accountId", "account id, foo ignored", "D,R"),
        (4, HOST, "register with {} and with no events", "200", "R"),
        (5, HOST, "register with what is not JSON", "403 InvalidRequestFormat; may repeat", "R"),
        (6, HOST, "register for EVT", "403 Extension.InvalidEventType names it; may repeat", "R"),
        (7, HOST, "an unknown name asks for SHUTDOWN", "403 InvalidEventType: internal", "D,R"),
        (8, HOST, "an external registers twice", "403 Extension.InvalidExtensionState", "R"),
        (9, HOST, "two internals of one name", "403 Extension.InvalidExtensionState", "R"),
        (10, HOST, "an internal after the runtime's next", "403 RegistrationClosed", "D,R"),
        (11, HOST, "the eleventh extension", "403 Extension.TooManyExtensions", "D,R"),
        (12, HOST, "next without, with a bad, with an unknown id", "403, a type each", "R"),
        (13, HOST, "two nexts of one id", "one waits, the other 403 InvalidExtensionState", "R"),
        (14, HOST, "an external registers late", "the runtime does not start before", "D,R"),
        (15, HOST, "an extension calls its first next late", "no event before", "D,R"),
        (16, HOST, "an extension for SHUTDOWN only", "no INVOKE, not waited for, SHUTDOWN", "R"),
        (17, HOST, "an extension works on after the answer", "its overhead; answer first", "D,R"),
        (18, HOST, "an extension never calls next", "timeout, SHUTDOWN timeout, reset", "D"),
        (19, HOST, "INVOKE and the runtime's headers", "same id, deadline, ARN, trace", "D,R"),
        (20, HOST, "no trace header", "no tracing", "R"),
        (21, HOST, "an extension exits with 0 anywhere", "Extension.Crash; replaced", "R,I"),
        (22, HOST, "init/error, then exit", "202; Extension.InitError for the next caller", "D,R"),
        (23, HOST, "init/error after the first next", "403 InvalidExtensionState", "R"),
        (24, HOST, "exit/error without its type", "403 Extension.MissingHeader", "R"),
        (25, HOST, "a file that cannot be executed", "Extension.LaunchError; no runtime", "R"),
        (26, HOST, "a folder among the extensions", "ignored", "R"),
        (27, HOST, "a response to a wrong id", "400 InvalidRequestID", "R"),
        (28, HOST, "6,291,556 bytes, and one more", "202; 413 ResponseSizeTooLarge", "R,D"),
        (29, HOST, "response mode foo", "400 InvalidFunctionResponseMode", "R"),
        (30, HOST, "a stream that ends with error trailers", "202; partial body, its error", "D,R"),
        (31, HOST, "a second response", "403 InvalidStateTransition", "R"),
        (32, HOST, "next twice", "the same event", "R"),
        (33, HOST, "an error without a type", "202, Unhandled, runtimeDone success", "I,R"),
        (34, HOST, "the runtime exits", "Runtime.ExitError, failure, init repeated", "D,R"),
        (35, HOST, "the handler takes too long", "Sandbox.Timedout, runtimeDone first", "D,C"),
        (36, HOST, "Init takes more than 10 s", "INIT_REPORT timeout, repeated in invoke", "D"),
        (37, HOST, "shutdown without extensions", "SIGKILL at once", "D,R"),
        (38, HOST, "shutdown with internals only", "SIGTERM, up to 500 ms", "D"),
        (39, HOST, "shutdown with an external", "SIGTERM, then SHUTDOWN, within 2000 ms", "D,R"),
        (40, HOST, "an external ignores SHUTDOWN", "SIGKILL at its deadline", "D,R"),
        (41, HOST, "telemetry after Init", "403 Telemetry.SubscriptionClosed", "D"),
        (42, HOST, "999 items, 24 ms, 262143 bytes, no types", "400 ValidationError each", "D"),
        (43, HOST, "subscribe in Init, path in the URI", "initStart too, to that path", "D"),
        (44, HOST, "a cold start", "initStart ... report, in order", "R,C"),
        (45, HOST, "a listener that fails or hangs", "no effect; logsDropped later", "D,R"),
        (46, HOST, "a TCP subscriber", "one object a line", "D"),
        (47, HOST, "JSON logs, new and old schema", "an object, a string", "D"),
        (48, CLIENT, "202 to a subscription", "goes on without telemetry", "D"),
        (49, CLIENT, "managed instances", "registers for SHUTDOWN only", "D,I"),
        (50, CLIENT, "reasons SPINDOWN, spindown, ReleaseFail", "all are a shutdown", "R"),
        (51, CLIENT, "next waits for ten minutes", "no timeout, no storm", "D"),
        (52, CLIENT, "no event identifier", "accepted", "R"),
        (53, CLIENT, "an unknown event, more fields", "ignored, next again", "I"),
        (54, CLIENT, "403 or 500 from next", "exit/error, non-zero, no loop", "D,I"),
        (55, CLIENT, "a report that comes late", "joined by request id", "I"),
        (56, CLIENT, "each runtime's command line", "unchanged but for insertions", "D,I"),
        (57, CLIENT, "a wrapper that is missing or not executable", "127, 126", "I"),
        (58, CLIENT, "NODE_OPTIONS and the like are set", "extended, not replaced", "I"),
        (59, HOST, "metadata without and with the token, POST", "401, 200, 405", "D"),
        (60, HOST, "billed duration of 250.06 + 100.77 ms", "351: the sum rounded up", "D,C"),
    )
]  # fmt: skip
