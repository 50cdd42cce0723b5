"""What is written in the background: all of it, in order, and without holding anybody up."""

from __future__ import annotations

import asyncio
import os

import pytest

from wrapkit.tooling.report import BackgroundStream

BOUND_S = 30
# More than a pipe holds.
MUCH = [f"line {number}\n" for number in range(50_000)]


@pytest.fixture
def pipe():
    """The reading end as a file, and the writing end as a text stream."""
    read, write = os.pipe()
    with open(read, "rb") as reader, open(write, "w", encoding="ascii", errors="replace") as writer:
        yield reader, writer


def run(scenario):
    return asyncio.run(asyncio.wait_for(scenario, BOUND_S))


def test_nobody_waits_for_the_reader(pipe):
    """All is taken at once; it has been written when the block is left."""
    reader, writer = pipe

    async def scenario():
        async with BackgroundStream(writer) as stream:
            for line in MUCH:
                stream.write(line)
            reading = asyncio.get_running_loop().run_in_executor(None, read_lines, reader)
        return await reading

    assert run(scenario()) == MUCH


def read_lines(reader):
    return [reader.readline().decode() for _ in MUCH]


def test_the_encoding_is_the_streams(pipe):
    """What it lacks is replaced as the stream would."""
    reader, writer = pipe

    async def scenario():
        async with BackgroundStream(writer) as stream:
            assert stream.encoding == "ascii"
            stream.write("caf\u00e9\n")

    run(scenario())
    assert reader.readline() == b"caf?\n"


def test_a_reader_that_goes_away(pipe):
    """Its writer hears of it."""
    reader, writer = pipe

    async def scenario():
        reader.close()
        async with BackgroundStream(writer) as stream:
            while True:
                stream.write("x\n")
                await asyncio.sleep(0.001)

    with pytest.raises(BrokenPipeError):
        run(scenario())


def test_an_error_in_the_last_words(pipe):
    """It is raised at the end, when nothing else went wrong."""
    reader, writer = pipe

    async def scenario():
        async with BackgroundStream(writer) as stream:
            reader.close()
            stream.write("x\n")

    with pytest.raises(BrokenPipeError):
        run(scenario())


def test_who_is_interrupted_does_not_wait_long(pipe, monkeypatch):
    """A terminal that takes nothing any more does not keep a command from ending."""
    _, writer = pipe
    monkeypatch.setattr("wrapkit.tooling.report._background_stream._LAST_WORDS_S", 0.01)

    async def scenario():
        async with BackgroundStream(writer) as stream:
            stream.write("".join(MUCH))
            raise KeyError("interrupted")

    with pytest.raises(KeyError):
        run(scenario())
