"""The runtime's log descriptor, and the levels of what the function writes."""

from __future__ import annotations

import json
import os
import struct

import pytest

from tests.emulator.environments import Watched, run
from wrapkit.tooling.emulator._output import Output


def frame(text, kind=0xA55A0003, time_us=1_700_000_000_000_123):
    data = text.encode()
    return struct.pack(">IIQ", kind, len(data), time_us) + data


async def written(*pieces):
    got = []
    output = Output(lambda *text: got.append(text))
    for piece in pieces:
        os.write(output.write_end, piece)
        output.drain()
    output.close()
    return got


DATA = b"before\nb" + frame("one\ntwo\n") + frame("three", 0xA55A000A) + b"egun\nlast"
TIME_MS = 1_700_000_000_000.123


@pytest.mark.parametrize("cut", range(1, len(DATA)))
def test_lines_and_messages_are_read_however_they_are_cut(cut):
    """In their order; a message may have several lines, and come within a line."""
    assert run(written(DATA[:cut], DATA[cut:])) == [
        ("before", "", None),
        ("one\ntwo", "", TIME_MS),
        ("three", "DEBUG", TIME_MS),
        ("begun", "", None),
        ("last", "", None),
    ]


@pytest.mark.parametrize(
    "data",
    [
        "100 \u00a5Z".encode(),  # as a character of UTF-8 that ends so
        b"\xa5",
        b"\xa5\x5a\x00\x03",
        struct.pack(">IIQ", 0xA55A00FF, 1, 0),
        struct.pack(">IIQ", 0xA55A0003, 1 << 31, 0),
    ],
)
def test_what_is_no_frame_is_text(data):
    """Rather than lost; a length that nobody can mean included."""
    got = run(written(b"a line, " + data, b"\nanother"))
    text = "\n".join(text for text, _, _ in got)
    assert text == (b"a line, " + data + b"\nanother").decode(errors="replace")


def test_the_real_client_writes_its_messages_there(deployment):
    """A record of several lines is one event; its time is the writer's."""
    deployment.handler(
        "import logging, os\n"
        "def handler(event, context):\n"
        "    print(os.environ.get('_LAMBDA_TELEMETRY_LOG_FD'))\n"
        "    logging.getLogger().warning('two\\nlines')\n"
        "    raise ValueError('mine')\n"
    )

    async def scenario():
        async with Watched(deployment.function()) as environment:
            await environment.invoke(b"{}")
            return environment

    environment = run(scenario())
    texts = [record.record for record in environment.records if record.type == "function"]
    assert "None" in texts  # the client has taken the variable away
    (warning,) = [text for text in texts if "two\nlines" in text]
    assert warning.startswith("[WARNING]")
    (error,) = [text for text in texts if "[ERROR] ValueError: mine" in text]
    assert "Traceback (most recent call last):\n" in error


def test_without_the_descriptor_lines_are_joined_by_carriage_returns(deployment):
    """As the runtime client does where AWS's emulator runs it."""
    deployment.handler("def handler(event, context): raise ValueError('mine')")

    async def scenario():
        async with Watched(deployment.function(), profile="rie") as environment:
            await environment.invoke(b"{}")
            return environment

    environment = run(scenario())
    texts = [record.record for record in environment.records if record.type == "function"]
    assert any("mine\r" in text for text in texts)


@pytest.mark.parametrize(
    ("level", "hidden"), [("DEBUG", []), ("WARN", ["info"]), ("ERROR", ["info", "warning"])]
)
def test_levels_thin_out_the_log(deployment, level, hidden):
    """By the setting, what is not logging's own counts as INFO; telemetry is complete."""
    deployment.handler(
        "import json, logging\n"
        "def handler(event, context):\n"
        "    print(json.dumps({'level': 'info', 'message': 'info'}))\n"
        "    print(json.dumps({'level': 'warning', 'message': 'warning'}))\n"
        "    logging.getLogger().critical('critical')\n"
    )

    async def scenario():
        function = deployment.function(log_format="JSON", application_log_level=level)
        async with Watched(function) as environment:
            await environment.invoke(b"{}")
            return environment

    environment = run(scenario())
    words = ["info", "warning", "critical"]
    lines = [json.loads(line).get("message") for line in environment.lines if line[:1] == "{"]
    recorded = [one.record["message"] for one in environment.records if one.type == "function"]
    assert sorted(recorded) == sorted(words)
    assert sorted(filter(None, lines)) == sorted(word for word in words if word not in hidden)


@pytest.mark.parametrize(
    "settings",
    [
        {"log_format": "JSON", "application_log_level": "LOUD"},
        {"log_format": "JSON", "system_log_level": "FATAL"},
        {"application_log_level": "DEBUG"},
    ],
)
def test_levels_that_lambda_refuses(deployment, settings):
    """An unknown one, and any with text logs."""
    with pytest.raises(Exception, match="log level") as refusal:
        deployment.function(**settings).check()
    assert refusal.value.exit_code == 2
