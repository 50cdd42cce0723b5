"""JSON without ``json``: the package costs 10 ms and 2 MB here, since it compiles regular
expressions.

Its scanner in C does all the work of reading; what the package adds is the search for the first
character. ``docs/concepts/architecture.md`` keeps what the runner reads to plain JSON.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

_SPACE = " \t\n\r"


class _Rules:
    """What the scanner asks of its decoder: everything as ``json.loads`` does it."""

    strict = False  # line breaks within strings are read, not refused
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = float


def _scanner() -> "Callable[[str, int], tuple[Any, int]]":
    try:
        from _json import make_scanner
    except ImportError:  # another implementation of Python
        from json import JSONDecoder

        return JSONDecoder(strict=False).raw_decode
    # The type stubs name json's own decoder; the scanner asks for these attributes only.
    return make_scanner(_Rules)  # type: ignore[arg-type]


_scan = _scanner()


def read_json(data: bytes) -> "Any":
    """The document in ``data``; ``ValueError`` when it is not one JSON document in UTF-8."""
    text = data.decode("utf-8").strip(_SPACE)
    try:
        document, end = _scan(text, 0)
    except (StopIteration, RecursionError):
        raise ValueError("not JSON") from None
    if end != len(text):
        raise ValueError("more than one JSON document")
    return document


def read_object(data: bytes) -> "dict[str, Any]":
    """The same, of a document that is an object."""
    document = read_json(data)
    if not isinstance(document, dict):
        raise ValueError("not a JSON object")
    return document
