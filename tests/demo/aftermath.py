"""After the visit: what the meeting log says, and that nothing is left."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from tests.demo.canaries import Canary, Finding, search
from tests.system.search import write_broker_store
from tests.system.stack import Stack
from tests.system.visit import command, wait_for_kind

FORGOTTEN_WITHIN_S = 20.0
"""The region takes the session out of the retained schedule when it learns that the unit has wiped it."""


@dataclass(frozen=True, slots=True)
class Log:
    """The meeting log's kinds of one session in order, and whether the whole log's chain holds."""

    events: list[str]
    verified: bool


def read_log(stack: Stack, sid: str) -> Log:
    """By the command that the region's staff have."""
    wait_for_kind(stack, sid, "session_wiped")
    events = [row["kind"] for row in command(stack, "log", "show", sid)]
    try:
        verdict = command(stack, "log", "verify")
    except AssertionError:  # exit code 1
        return Log(events, verified=False)
    return Log(events, verified=bool(verdict["ok"]) and verdict["unit_events"] > 0)


def what_is_left(stack: Stack, profile: Path, wanted: list[Canary]) -> list[Finding]:
    """Searches the running system until it has forgotten, or the time for it is over."""
    deadline = time.monotonic() + FORGOTTEN_WITHIN_S
    while True:
        write_broker_store(stack)
        found = search({"": stack.state, "browser profile/": profile}, wanted)
        if not found or time.monotonic() > deadline:
            return found
