"""A command that was begun twice shows, however the unit told it."""

from __future__ import annotations

from tests.torture.tally import Tally, begun_commands


def test_each_beginning_is_counted_and_nothing_else() -> None:
    lines = [
        "taken a1",
        "begins a1",
        "running a1 selftest",
        "ended a1",
        "running b2 locate",
        "running a1 selftest",
    ]
    assert begun_commands(lines) == {"a1": 2, "b2": 1}


def test_what_is_lost_or_done_twice_is_not_well() -> None:
    assert Tally().ok
    assert not Tally(lost=["x"]).ok
    assert not Tally(run_twice=["a1"]).ok
