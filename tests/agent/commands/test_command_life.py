"""The table of a command's life."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from agent.commands.life import (
    OVER,
    Arrived,
    Begun,
    CancelAsked,
    Ended,
    Entry,
    Passed,
    Restarted,
    State,
    TimeUp,
    Waits,
    step,
)
from agent.contract.commands import FINAL, CommandState

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
NEW = Entry("cmd-1", "selftest", NOW, NOW + timedelta(minutes=5))
LATE = NOW + timedelta(minutes=6)


def test_states_are_the_contracts():
    assert {state.value for state in State} == {*get_args(CommandState), "new"}
    assert {state.value for state in OVER} == FINAL


@pytest.mark.parametrize(
    ("state", "event", "at", "then"),
    [
        (State.NEW, Arrived(), NOW, State.ACCEPTED),
        (State.NEW, Arrived("no"), LATE, State.REJECTED),
        (State.NEW, Arrived(), LATE, State.EXPIRED),
        (State.NEW, CancelAsked(), NOW, State.CANCELED),
        (State.ACCEPTED, CancelAsked(), NOW, State.CANCELED),
        (State.ACCEPTED, Passed(), NOW, State.ACCEPTED),
        (State.ACCEPTED, Passed(), LATE, State.EXPIRED),
        (State.ACCEPTED, Waits("why"), NOW, State.ACCEPTED),
        (State.ACCEPTED, Begun(3, "m"), NOW, State.RUNNING),
        (State.ACCEPTED, Restarted(4, "m"), NOW, State.ACCEPTED),
        (State.RUNNING, Passed(), LATE, State.RUNNING),
        (State.RUNNING, CancelAsked(), NOW, State.RUNNING),
        (State.RUNNING, Ended(State.FAILED), LATE, State.FAILED),
        (State.RUNNING, TimeUp(), NOW, State.TIMED_OUT),
        (State.RUNNING, Restarted(4, "m"), NOW, State.FAILED),
    ],
)
def test_each_step(state, event, at, then):
    assert step(replace(NEW, state=state, boot=3, machine="m"), event, at).state == then


@pytest.mark.parametrize("state", sorted(OVER))
@pytest.mark.parametrize(
    "event",
    [
        Arrived(),
        Begun(1, "m"),
        CancelAsked(),
        Ended(State.FAILED),
        Passed(),
        Restarted(9, "n"),
        TimeUp(),
        Waits("x"),
    ],
)
def test_what_is_over_stays_as_it_is(state, event):
    entry = replace(NEW, state=state)
    assert step(entry, event, LATE) == entry


@pytest.mark.parametrize(
    ("what", "boot", "machine", "then"),
    [
        ("agent", 4, "m", State.SUCCEEDED),
        ("agent", 3, "m", State.FAILED),
        ("machine", 4, "m", State.FAILED),
        ("machine", 4, "n", State.SUCCEEDED),
        ("browser", 4, "n", State.FAILED),
    ],
)
def test_a_restart_is_judged_by_what_has_started(what, boot, machine, then):
    entry = replace(NEW, name="restart", arguments={"what": what}, state=State.RUNNING, boot=3, machine="m")
    assert step(entry, Restarted(boot, machine), NOW).state == then
