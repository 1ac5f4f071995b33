"""A call for help as pure values: which state the screen shows, and when it is noted that nobody came."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from agent.help import ANSWER_SHOWN, ANSWER_WITHIN, Help, answer, begins, is_missed, is_past, state

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
CALL = Help("1a2b3c", NOW, "k3v9q2m4x8t1")


@pytest.mark.parametrize(
    ("waited", "region_up", "shown"),
    [
        (timedelta(0), True, "sent"),
        (timedelta(0), False, "unanswered"),
        (ANSWER_WITHIN - SECOND, True, "sent"),
        (ANSWER_WITHIN, True, "unanswered"),
        (-timedelta(hours=1), True, "unanswered"),  # the clock was put back
    ],
)
def test_a_call_that_nobody_answers_leads_to_the_telephone(waited, region_up, shown):
    assert state(None, NOW, region_up=region_up) == "none"
    assert state(CALL, NOW + waited, region_up=region_up) == shown


def test_an_answer_counts_late_too_and_stays_over_a_lost_line():
    late = NOW + 5 * ANSWER_WITHIN
    answered = answer(CALL, CALL.id, late)
    assert answered == replace(CALL, answered_at=late)
    assert state(answered, late, region_up=False) == "answered"
    assert answer(answered, CALL.id, late + SECOND) == answered
    assert not is_missed(answered, late + ANSWER_WITHIN)


@pytest.mark.parametrize("call_id", [None, "another"])
def test_an_answer_to_another_call_changes_nothing(call_id):
    assert answer(CALL, call_id, NOW) == CALL
    assert answer(None, call_id, NOW) is None


def test_it_is_noted_once_that_nobody_came():
    assert not is_missed(CALL, NOW + ANSWER_WITHIN - SECOND)
    assert is_missed(CALL, NOW + ANSWER_WITHIN)
    assert not is_missed(replace(CALL, missed=True), NOW + ANSWER_WITHIN)
    assert not is_missed(None, NOW)


def test_asking_again_is_another_call_only_when_who_said_that_they_come_does_not():
    answered = replace(CALL, answered_at=NOW)
    assert begins(None, NOW)
    assert not begins(CALL, NOW + ANSWER_SHOWN)
    assert not begins(answered, NOW + ANSWER_WITHIN - SECOND)
    assert begins(answered, NOW + ANSWER_WITHIN)


def test_an_answer_is_shown_for_a_while_and_not_for_years_when_the_clock_is_put_right():
    answered = replace(CALL, answered_at=NOW)
    assert not is_past(CALL, NOW + ANSWER_SHOWN)
    assert not is_past(answered, NOW + ANSWER_SHOWN - SECOND)
    assert is_past(answered, NOW + ANSWER_SHOWN)
    assert is_past(answered, NOW - timedelta(days=365))
