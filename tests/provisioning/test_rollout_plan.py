"""When a rollout goes on, waits, pauses and stops."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.rollout_plan import Amount, Member, Progress, next_moves, stage_sizes

T0 = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
WAIT = timedelta(seconds=60)
LATER = T0 + WAIT
PROGRESS = Progress(
    state="running",
    stage=0,
    stage_since=T0,
    wait=WAIT,
    allowed=Amount.parse("10%"),
    sizes=[1, 9, 90],
    settled={},
    listening_since=T0 - timedelta(days=1),
)


def sent(unit: str = "a", stage: int = 0, **changes: Any) -> Member:
    return Member(unit, stage, "sent", sent_at=T0, **changes)


@pytest.mark.parametrize(
    ("stages", "total", "sizes"),
    [
        (("1", "10%", "100%"), 100, [1, 10, 89]),
        (("1", "10%", "100%"), 3, [1, 1, 1]),
        (("1", "10%", "100%"), 1, [1]),
        (("50%", "5"), 9, [5, 4]),
        (("20",), 7, [7]),
    ],
)
def test_stages_in_units(stages: tuple[str, ...], total: int, sizes: list[int]) -> None:
    assert stage_sizes(stages, total) == sizes


@pytest.mark.parametrize("stages", [(), ("0",), ("1", "x"), ("101%",), ("-1",), ("1",) * 21])
def test_what_is_no_plan(stages: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"unit|stages"):
        stage_sizes(stages, 10)


@given(
    st.lists(st.sampled_from(["1", "3", "10%", "50%", "100%"]), min_size=1, max_size=6), st.integers(1, 3000)
)
def test_every_unit_is_in_one_stage(stages: list[str], total: int) -> None:
    sizes = stage_sizes(stages, total)
    assert (sum(sizes), min(sizes) > 0) == (total, True)


def test_those_who_are_connected_are_sent_it_and_the_others_waited_for() -> None:
    members = [
        Member("a", 0, "waiting"),
        Member("b", 0, "waiting", reachable=False),
        Member("c", 0, "waiting", revoked=True),
    ]
    moves = next_moves(PROGRESS, members, T0)
    assert (moves.send, moves.settled) == (["a"], {"c": ("skipped", "revoked")})
    moves = next_moves(PROGRESS, members[1:2], LATER)
    assert moves.settled == {"b": ("skipped", "not connected")}


def test_a_stage_that_has_succeeded_leads_to_the_next() -> None:
    moves = next_moves(PROGRESS, [sent(answer="succeeded")], T0)
    assert (moves.settled, moves.stage, moves.state) == ({"a": ("succeeded", "")}, 1, "running")


def test_a_stage_in_which_nobody_has_succeeded_proves_nothing() -> None:
    moves = next_moves(PROGRESS, [Member("a", 0, "waiting", reachable=False)], LATER)
    assert (moves.state, moves.stage) == ("paused", 1)


def test_the_last_stage_ends_it() -> None:
    last = replace(
        PROGRESS, stage=2, settled={(0, "succeeded"): 1, (1, "succeeded"): 9, (2, "succeeded"): 88}
    )
    moves = next_moves(last, [sent("a", 2, answer="succeeded"), sent("b", 2, answer="none")], T0)
    assert moves.state == "running"
    moves = next_moves(last, [sent("b", 2, answer="failed", reason="rolled back")], T0)
    assert (moves.state, moves.settled) == ("done", {"b": ("failed", "rolled back")})


@pytest.mark.parametrize(
    ("stage", "allowed", "failures", "state"),
    [
        (0, "10%", 1, "stopped"),
        (1, "10%", 1, "running"),
        (1, "10%", 2, "stopped"),
        (2, "10%", 10, "running"),
        (2, "10%", 11, "stopped"),
        (2, "0", 1, "stopped"),
        (2, "3", 3, "running"),
        (2, "3", 4, "stopped"),
    ],
)
def test_the_threshold_counts_the_stages_begun(stage: int, allowed: str, failures: int, state: str) -> None:
    progress = replace(
        PROGRESS, stage=stage, allowed=Amount.parse(allowed), settled={(stage, "failed"): failures - 1}
    )
    members = [sent("a", stage, answer="failed"), sent("b", stage), Member("c", stage, "waiting")]
    moves = next_moves(progress, members, T0)
    assert moves.state == state
    assert moves.send == (["c"] if state == "running" else [])


def test_silence_is_a_failure_but_not_while_the_region_was_away() -> None:
    assert next_moves(PROGRESS, [sent()], LATER).settled["a"] == ("failed", "no answer within 60 s")
    deaf = replace(PROGRESS, listening_since=LATER)
    assert next_moves(deaf, [sent()], LATER).settled == {}


def test_deferred_is_no_failure_and_holds_nobody_up_for_a_day() -> None:
    second = replace(PROGRESS, stage=1, settled={(1, "succeeded"): 8})
    members = [sent(stage=1, answer="deferred")]
    assert next_moves(second, members, T0).stage == 1
    assert next_moves(second, members, LATER).stage == 2
    assert next_moves(second, members, T0 + timedelta(days=1)).settled["a"][0] == "failed"
    alone = next_moves(PROGRESS, [sent(answer="deferred")], LATER)
    assert (alone.stage, alone.state) == (0, "running"), "nobody has succeeded yet"


def test_a_paused_one_sends_nothing_and_hears_on() -> None:
    paused = replace(PROGRESS, state="paused", stage=1)
    moves = next_moves(paused, [Member("a", 1, "waiting"), sent("b", 1, answer="succeeded")], T0)
    assert (moves.send, moves.settled, moves.stage) == ([], {"b": ("succeeded", "")}, 1)
    gone = next_moves(replace(paused, state="stopped"), [sent("b", 1, answer="failed")], T0)
    assert (gone.state, gone.settled) == ("stopped", {"b": ("failed", "")})
