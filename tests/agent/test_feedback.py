"""Marks are added up over a day, and nothing tells whose they were."""

import asyncio
from datetime import date

import pytest

from agent import session_events as ev
from agent.contract.signalling import Admit, Join
from agent.feedback import KEY, Feedback
from agent.screen import Touch
from agent.touches_feedback import feedback_touches

TODAY, TOMORROW = date(2026, 11, 22), date(2026, 11, 23)
SID = "k3v9q2m4x8t1"


class Shelf:
    """Keeps the newest value."""

    def __init__(self):
        self.value = None

    def keep(self, key, value):
        assert key == KEY
        self.value = value

    keep_with_facts = keep


@pytest.fixture
def shelf():
    return Shelf()


@pytest.fixture
def sent():
    return []


@pytest.fixture
def feedback(shelf, sent):
    return Feedback(shelf, None, lambda *fact: sent.append(fact))


def test_a_days_marks_are_sent_once_when_the_day_is_over(feedback, sent):
    assert feedback.take("3,2,0", "one", TODAY)
    assert feedback.take("3,3,1", "two", TODAY)
    feedback.tick(TODAY)
    assert sent == []
    feedback.tick(TOMORROW)
    feedback.tick(TOMORROW)
    assert sent == [("feedback", None, {"picture_3": 2, "sound_2": 1, "sound_3": 1, "ease_1": 1})]


def test_each_question_counts_once_for_a_session(feedback, sent):
    for text in ("3,0,0", "3,2,0", "1,2,1", "3,2,1"):
        assert feedback.take(text, "one", TODAY)
    feedback.tick(TOMORROW)
    assert sent[0][2] == {"picture_3": 1, "sound_2": 1, "ease_1": 1}


def test_a_restart_remembers_the_sums_and_nothing_of_the_sessions(feedback, shelf, sent):
    feedback.take("3,0,0", SID, TODAY)
    assert SID.encode() not in shelf.value
    again = Feedback(shelf, shelf.value, lambda *fact: sent.append(fact))
    again.take("0,1,0", "two", TODAY)
    again.tick(TOMORROW)
    assert sent[0][2] == {"picture_3": 1, "sound_1": 1}
    feedback.forget()
    assert SID not in repr(vars(feedback))


@pytest.mark.parametrize("text", ["", "3", "3,2", "4,1,1", "3,2,0,1", "a,b,c", "\u0663,1,1"])
def test_what_are_no_marks_counts_nothing(feedback, sent, text):
    assert not feedback.take(text, "one", TODAY)
    feedback.tick(TOMORROW)
    assert sent == []


def test_a_damaged_sum_is_begun_anew(shelf, sent):
    feedback = Feedback(shelf, b'{"day": 7.5, "counts": []}', lambda *fact: sent.append(fact))
    feedback.tick(TOMORROW)
    assert sent == []


def mark(unit, text):
    return asyncio.run(feedback_touches(unit)["feedback"](Touch("feedback", text=text))).refusal


def test_marks_are_taken_while_the_end_is_shown_and_at_no_other_time(ready_house):
    unit = ready_house.unit
    assert mark(unit, "3,3,3") == "not_now"
    unit.session_event(SID, ev.CheckedIn("code"))
    ready_house.signal(Join(**ready_house.numbered(), chair=True), "aaaa")
    ready_house.signal(Admit(**ready_house.numbered()), "aaaa")
    unit.session_event(SID, ev.PatientLeft())
    assert unit.screen().session.ended_reason == "patient_left"
    assert mark(unit, "3,3,3") is None
    assert mark(unit, "many") == "bad_request"
    ready_house.tick(24 * 3600)
    facts = [each for each in ready_house.unit.outbox.pending() if each.kind == "feedback"]
    assert [(each.sid, each.fields) for each in facts] == [
        (None, {"picture_3": 1, "sound_3": 1, "ease_3": 1})
    ]
    assert SID not in repr(vars(unit.feedback)), "the end was shown until it was no longer, by time alone"


def test_a_kill_between_two_writes_sends_no_sum_twice(ready_house):
    """The sum is gone from the disk with the same transaction that puts its fact there."""
    unit, writes = ready_house.unit, []
    unit.feedback.take("3,0,0", "one", TODAY)
    ready_house.store._db.set_trace_callback(writes.append)
    unit.feedback.tick(TOMORROW)
    ready_house.store._db.set_trace_callback(None)
    kinds = [each.split()[0] for each in writes if not each.startswith("SELECT")]
    assert (kinds[0], kinds.index("COMMIT")) == ("BEGIN", len(kinds) - 1), "all of it in one transaction"
    assert b"picture" not in ready_house.store.get(KEY)
    assert "feedback" in ready_house.kinds()
