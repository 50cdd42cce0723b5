"""A scenario: scripted processes, events for them, and what is to be seen in which order."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from tests.emulator.environments import Deployment, Watched

# Answers each event with itself; some events ask for something else.
RUNTIME = """
import signal
say("runtime: starts")
me = Party()
while True:
    id, headers, event = me.next_invocation()
    say("runtime: gets", event.decode())
    if event == b'"exit"':
        os._exit(1)
    if event == b'"hang"':
        signal.pause()
    me.respond(id, event)
    mark("answered")
"""
# Says what it gets, and ends with SHUTDOWN.
WITNESS = """
me.register("INVOKE", "SHUTDOWN")
while True:
    event = me.next_event()
    say(me.name + ":", event["eventType"], event.get("shutdownReason", ""))
    if event["eventType"] == "SHUTDOWN":
        break
"""


@dataclass
class Scenario:
    """Its case's number and source; the scripts of its processes; and what is expected.

    ``timeline`` is what has to come in this order, among other things: a line of the log, or a
    platform record as ``type phase status errorType``, without what it does not have. ``absent``
    must not come at all, ``answers`` are the error types of the answers, None for a response,
    ``statuses`` those of processes after the shutdown.
    """

    number: int
    source: str
    name: str
    extensions: dict[str, str] = field(default_factory=dict)
    runtime: str = RUNTIME
    events: tuple[str, ...] = ("1",)
    settings: dict[str, object] = field(default_factory=dict)
    timeline: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    answers: tuple[str | None, ...] = (None,)
    statuses: dict[str, str] = field(default_factory=dict)


class Timeline(Watched):
    """An environment that keeps lines and records in one order."""

    def __init__(self, function, **settings):
        self.timeline = []
        super().__init__(function, **settings)
        self._on_record = self._take_record

    def _take_record(self, record):
        self.records.append(record)
        if isinstance(record.record, str):
            self.timeline.append(record.record.rstrip())
        else:
            values = (record.record.get(name) for name in ("phase", "status", "errorType"))
            self.timeline.append(" ".join([record.type, *filter(None, values)]))


async def play(scenario, folder):
    """Runs it to its shutdown: (timeline, error types of the answers, statuses, records)."""
    deployment = Deployment(folder).runtime(scenario.runtime)
    for name, script in scenario.extensions.items():
        deployment.extension(name, script)
    async with Timeline(deployment.function(**scenario.settings)) as environment:
        await environment.init()
        results = [await environment.invoke(event.encode()) for event in scenario.events]
        ended = await environment.shutdown()
    answers = tuple(_error_type(result) for result in results)
    return environment.timeline, answers, ended.statuses


def _error_type(result):
    return json.loads(result.payload)["errorType"] if result.function_error else None


def missing(expected, timeline):
    """The first of what is expected that does not come in its order, or None."""
    rest = iter(timeline)
    return next((one for one in expected if one not in rest), None)
