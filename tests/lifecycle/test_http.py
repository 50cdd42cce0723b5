"""HTTP/1.1 framing: what a reader accepts, refuses and leaves for the next message."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrapkit.lifecycle import End, Head, HttpError, MessageReader, request_bytes, response_bytes


def read_all(data, *, requests, pieces=None, closed=False):
    """Every whole message in ``data``, fed in the given pieces."""
    reader = MessageReader(requests=requests)
    messages = []
    for piece in pieces or [data]:
        reader.receive(piece)
        while (message := reader.next_message()) is not None:
            messages.append(message)
    if closed:
        reader.receive(b"")
        while (message := reader.next_message()) is not None:
            messages.append(message)
    return messages


def refused(data, *, requests=True, closed=False):
    """The error that reading ``data`` ends in."""
    with pytest.raises(HttpError) as caught:
        read_all(data, requests=requests, closed=closed)
    return caught.value


@st.composite
def cut(draw, data):
    """``data`` in pieces."""
    places = sorted(draw(st.lists(st.integers(0, len(data)), max_size=6)))
    edges = [0, *places, len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges) if a != b]


@given(st.data(), st.binary(max_size=300), st.binary(max_size=300))
def test_messages_written_are_read_back_however_they_are_cut(data, first, second):
    stream = request_bytes("POST", "/a", "h", [("X-Name", "v")], first)
    stream += request_bytes("PUT", "/b?c=d", "h", (), second)
    messages = read_all(stream, requests=True, pieces=data.draw(cut(stream)))

    assert [(m.head.method, m.head.target, m.body) for m in messages] == [
        ("POST", "/a", first),
        ("PUT", "/b?c=d", second),
    ]
    assert messages[0].head.headers["x-name"] == "v"


@given(st.data(), st.lists(st.binary(min_size=1, max_size=50), max_size=5))
def test_chunked_bodies_and_trailers_are_read_however_they_are_cut(data, chunks):
    stream = b"POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n"
    for chunk in chunks:
        stream += b"%x;name=value\r\n%s\r\n" % (len(chunk), chunk)
    stream += b"0\r\nLambda-Runtime-Function-Error-Type: Runtime.Oops\r\n\r\n"
    (message,) = read_all(stream, requests=True, pieces=data.draw(cut(stream)))

    assert message.body == b"".join(chunks)
    assert message.trailers == {"lambda-runtime-function-error-type": "Runtime.Oops"}


def test_a_body_is_given_piecewise_as_it_arrives():
    reader = MessageReader(requests=True)
    reader.receive(b"POST / HTTP/1.1\r\nContent-Length: 6\r\n\r\nabc")

    head = reader.next_part()
    assert isinstance(head, Head)
    assert repr(head) == "<Head POST />"
    assert reader.next_part() == b"abc"
    assert reader.next_part() is None
    reader.receive(b"defGET")
    assert reader.next_part() == b"def"
    assert isinstance(reader.next_part(), End)
    assert not reader.between_messages


def test_a_response_without_length_ends_with_the_connection():
    (message,) = read_all(b"HTTP/1.1 200 OK\r\n\r\nall of it", requests=False, closed=True)

    assert message.body == b"all of it"
    assert not message.head.keep_alive


def test_interim_responses_are_passed_over():
    stream = b"HTTP/1.1 100 Continue\r\n\r\n" + response_bytes(204) + response_bytes(202, (), b"x")
    first, second = read_all(stream, requests=False)

    assert (first.head.status, first.body) == (204, b"")
    assert (second.head.status, second.body) == (202, b"x")
    assert repr(second) == "<Message <Head 202>, 1 bytes>"


def test_empty_lines_before_a_request_are_ignored():
    (message,) = read_all(b"\r\n\r\nGET / HTTP/1.1\r\n\r\n", requests=True)

    assert message.head.target == "/"


def test_names_are_read_the_same_however_many_and_however_often():
    """Those that have been read before, and those beyond what is remembered."""
    names = [f"X-Field-{number}" for number in range(400)]
    for _ in range(2):
        for name in names:
            (message,) = read_all(
                request_bytes("GET", "/", "host", ((name, "value"),)), requests=True
            )
            assert message.head.headers[name.lower()] == "value"
    assert refused(b"GET / HTTP/1.1\r\nX-Field-1\r\n\r\n").status == 400


def test_repeated_fields_are_joined_and_equal_lengths_are_one():
    stream = b"GET / HTTP/1.1\r\nA: 1\r\na: 2\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx"
    (message,) = read_all(stream, requests=True)

    assert message.head.headers["a"] == "1, 2"
    assert message.body == b"x"


@pytest.mark.parametrize(
    ("version", "connection", "expected"),
    [
        ("HTTP/1.1", "", True),
        ("HTTP/1.1", "close", False),
        ("HTTP/1.0", "", False),
        ("HTTP/1.0", "Keep-Alive", True),
    ],
)
def test_keep_alive_follows_version_and_connection(version, connection, expected):
    stream = f"GET / {version}\r\nConnection: {connection}\r\n\r\n".encode()
    (message,) = read_all(stream, requests=True)

    assert message.head.keep_alive is expected


def test_a_client_that_waits_for_100_says_so():
    (message,) = read_all(b"POST / HTTP/1.1\r\nExpect: 100-Continue\r\n\r\n", requests=True)

    assert message.head.expects_continue


@pytest.mark.parametrize(
    ("stream", "status"),
    [
        (b"GET /\r\n\r\n", 400),
        (b"G\x00T / HTTP/1.1\r\n\r\n", 400),
        (b"GET  HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 505),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA: 1\r\n folded\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA : 1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: \xb2\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"0" * 5000, 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"0" * 5000 + b"\r\n", 400),
        (b"GET /" + b"a" * 1_200_000, 431),
        (b"GET /" + b"a" * 1_200_000 + b" HTTP/1.1\r\n\r\n", 431),
    ],
)
def test_what_is_malformed_or_ambiguous_is_refused(stream, status):
    assert refused(stream).status == status


@pytest.mark.parametrize("start", [b"HTTP/1.1", b"HTTP/1.1 2x0 OK", b"HTTP/1.1 20 OK"])
def test_a_malformed_status_line_is_refused(start):
    assert refused(start + b"\r\n\r\n", requests=False).status == 502


@pytest.mark.parametrize(
    "stream",
    [
        b"GET / HT",
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nab",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5",
    ],
)
def test_a_connection_closed_within_a_message_is_an_error(stream):
    assert "closed within" in str(refused(stream, closed=True))


def test_a_connection_closed_between_messages_is_none():
    reader = MessageReader(requests=True)
    assert reader.between_messages
    assert not reader.closed
    reader.receive(b"")

    assert reader.next_message() is None
    assert reader.closed


def test_a_body_over_the_limit_is_refused_even_when_chunked():
    reader = MessageReader(requests=True, max_body_bytes=3)
    reader.receive(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n2\r\ncd\r\n")

    with pytest.raises(HttpError) as caught:
        reader.next_message()
    assert caught.value.status == 413


def test_a_header_value_cannot_break_out_of_its_line():
    with pytest.raises(ValueError, match="line break"):
        request_bytes("GET", "/", "h", [("Authorization", "x\r\nEvil: 1")])


def test_requests_that_carry_no_body_announce_none():
    assert b"Content-Length" not in request_bytes("GET", "/", "h")
    assert b"Content-Length: 0" in request_bytes("POST", "/", "h")


def test_the_head_of_a_message_is_known_before_its_body():
    """Who refuses the body for its length can tell by it what the message was."""
    reader = MessageReader(requests=False, max_body_bytes=4)
    assert reader.head is None

    reader.receive(b"HTTP/1.1 503 \r\ncontent-length: 5\r\n\r\nabc")
    assert reader.next_message() is None
    assert reader.head is not None
    assert reader.head.status == 503

    reader.receive(b"de")
    with pytest.raises(HttpError):
        reader.next_message()
    assert reader.head.status == 503
