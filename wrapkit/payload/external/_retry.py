"""When to try an endpoint again: OTLP's rules as an object without a clock.

https://opentelemetry.io/docs/specs/otlp/#failures-1: after 429, 502, 503 and 504 (``outcome`` in
``_otlp_http`` says which) and after a connection that broke, exponential backoff with jitter;
Retry-After, where the endpoint sends it, is kept.
"""

from ._time import unix_nano

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Optional

# OpenTelemetry's exporters begin with 1 s and go up to between 5 s (Java) and 30 s (Go, Collector).
FIRST_BACKOFF_MS = 1_000.0
MAX_BACKOFF_MS = 30_000.0
# An endpoint that asks for more is asked again anyway: an environment does not live for long, and
# what waits is bounded.
MAX_RETRY_AFTER_MS = 300_000.0

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Retry:
    """The attempts at one endpoint. ``random`` gives numbers from 0 to less than 1.

    ``not_before_ms``: until when the endpoint is to be left alone.
    """

    __slots__ = ("_failures", "_random", "not_before_ms")

    def __init__(self, random: "Callable[[], float]") -> None:
        self._random = random
        self._failures = 0
        self.not_before_ms = float("-inf")

    @property
    def failures(self) -> int:
        """How many attempts have failed since the last that succeeded."""
        return self._failures

    def may_try(self, now_ms: float) -> bool:
        """Whether the endpoint has been left alone for long enough."""
        return now_ms >= self.not_before_ms

    def succeeded(self) -> None:
        """The endpoint answered, if only to refuse: it is there."""
        self._failures = 0
        self.not_before_ms = float("-inf")

    def failed(
        self, now_ms: float, deadline_ms: float, retry_after_ms: "Optional[float]" = None
    ) -> "Optional[float]":
        """An attempt failed: when to try again; None when that is not before the deadline.

        ``may_try`` keeps to it either way, so that the next flush does not begin too early.
        """
        # Half of the backoff is random: what failed for all environments at once shall not come
        # back at once, and none shall come back immediately.
        backoff_ms = min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** min(self._failures, 30))
        wait_ms = backoff_ms * (1 + self._random()) / 2
        self._failures += 1
        if retry_after_ms is not None:
            wait_ms = max(wait_ms, min(retry_after_ms, MAX_RETRY_AFTER_MS))
        self.not_before_ms = now_ms + wait_ms
        return self.not_before_ms if self.not_before_ms < deadline_ms else None

    def __repr__(self) -> str:
        return f"<Retry after {self._failures} failures>"


def retry_after_ms(value: str, now_ms: float) -> "Optional[float]":
    """How long a Retry-After header asks to wait, from seconds or from a date (RFC 9110, 10.2.3);
    None when it says nothing that can be read.
    """
    value = value.strip()
    if value.isascii() and value.isdigit():
        return min(int(value[:9]) * 1000.0, MAX_RETRY_AFTER_MS)
    try:
        return min(max(0.0, _http_date_ms(value, now_ms) - now_ms), MAX_RETRY_AFTER_MS)
    except ValueError:
        return None


def _http_date_ms(text: str, now_ms: float) -> float:
    """The three forms of RFC 9110, 5.6.7, as epoch milliseconds; ``email.utils``, which has a
    parser, costs 30 ms to import.
    """
    words = text.replace(",", " ").replace("-", " ").split()
    if len(words) == 5:  # Sun Nov  6 08:49:37 1994
        _, month, day, clock, year = words
    elif (
        len(words) == 6 and words[5] == "GMT"
    ):  # Sun, 06 Nov 1994 08:49:37 GMT, or Sunday, 06-Nov-94
        _, day, month, year, clock, _ = words
    else:
        raise ValueError("not a date of HTTP")
    if month not in _MONTHS:
        raise ValueError("not a date of HTTP")
    hours, minutes, seconds = [_number(part) for part in clock.split(":")]
    date = f"{_full_year(year, now_ms):04}-{_MONTHS.index(month) + 1:02}-{_number(day):02}"
    return unix_nano(f"{date}T{hours:02}:{minutes:02}:{seconds:02}Z") / 1e6


def _full_year(text: str, now_ms: float) -> int:
    """Two digits mean the year with these last digits that is at most 50 years ahead."""
    year = _number(text)
    if len(text) != 2:
        return year
    present = 1970 + int(now_ms / 31_556_952_000)
    year += present - present % 100
    return year - 100 if year > present + 50 else year


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 4:
        raise ValueError("not a number")
    return int(text)
