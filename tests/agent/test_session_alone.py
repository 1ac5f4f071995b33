"""The patient walks out while nobody else is connected: the screen asks, and a minute later it is over."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from agent import session_events as ev
from agent.contract.schedule import Features, Party, ScheduledSession
from agent.session import step
from agent.session_guards import ANSWER_WITHIN, ASK_AFTER
from agent.session_state import Party as Remote
from agent.session_state import Session, State

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
PLAN = ScheduledSession.model_construct(
    sid="k3v9q2m4x8t1",
    ref="A17",
    start=START,
    end=START + timedelta(minutes=30),
    party=Party(clinic="Norra"),
    features=Features(),
)
CHAIR = Remote("aaaa", "clinician", "account", chair=True, instance="one", state="lost")
ALONE = Session(PLAN, state=State.IN_CALL, parties=(CHAIR,), alone_since=START)
WEEK = timedelta(days=7)


def after(session, *moments):
    """The session after a tick at each of the moments."""
    effects = ()
    for moment in moments:
        session, effects = step(session, ev.Tick(sure=False), moment)
    return session, effects


@pytest.mark.parametrize("state", [State.ADMITTED, State.IN_CALL])
def test_the_screen_asks_after_three_minutes_and_ends_a_minute_later(state):
    alone = replace(ALONE, state=state)
    asked_at = START + ASK_AFTER
    assert after(alone, asked_at - SECOND)[0].asked_at is None
    assert after(alone, asked_at)[0].asked_at == asked_at
    assert after(alone, asked_at, asked_at + ANSWER_WITHIN - SECOND)[0].state == state
    ended, effects = after(alone, asked_at, asked_at + ANSWER_WITHIN)
    assert (ended.state, ended.end_reason, ended.asked_at) == (State.ENDED, "nobody_here", None)
    assert ev.Record("call_ended", (("reason", "nobody_here"),)) in effects
    assert ev.CloseMedia() in effects


def test_a_clock_that_leaps_makes_it_ask_not_end():
    leapt, effects = after(replace(ALONE, alone_since=START), START + timedelta(minutes=25))
    assert (leapt.state, leapt.asked_at is not None, effects) == (State.IN_CALL, True, ())


def test_a_touch_answers_and_the_three_minutes_begin_anew():
    asked, _ = after(ALONE, START + ASK_AFTER)
    touched_at = START + ASK_AFTER + SECOND
    here, _ = step(asked, ev.Touched(), touched_at)
    assert here.asked_at is None
    assert after(here, touched_at + ASK_AFTER - SECOND)[0].asked_at is None
    assert after(here, touched_at + ASK_AFTER)[0].asked_at is not None


def test_whoever_comes_back_ends_the_question():
    asked, _ = after(ALONE, START + ASK_AFTER)
    back, _ = step(asked, ev.PartyConnected("aaaa"), START + ASK_AFTER + SECOND)
    assert (back.asked_at, back.touched_at) == (None, None)
    assert after(back, START + WEEK)[0].state == State.IN_CALL


def test_whoever_is_coming_back_is_waited_for():
    asked, _ = after(ALONE, START + ASK_AFTER)
    late = START + ASK_AFTER + ANSWER_WITHIN - SECOND
    coming, _ = step(asked, ev.PartyJoined(replace(CHAIR, instance="two", state="joined")), late)
    assert (coming.asked_at, coming.alone_since) == (None, START), "what is open for ever stays bounded"
    assert after(coming, late + ASK_AFTER - SECOND)[0].state == State.IN_CALL
    assert after(coming, late + ASK_AFTER)[0].asked_at is not None


def test_a_restart_ends_nothing_by_a_question_that_nobody_could_answer():
    asked, _ = after(ALONE, START + ASK_AFTER)
    back_at = START + ASK_AFTER + ANSWER_WITHIN
    resumed, _ = step(asked, ev.Restarted(ANSWER_WITHIN), back_at)
    assert after(resumed, back_at)[0].state == State.IN_CALL


@pytest.mark.parametrize(
    "session",
    [
        Session(PLAN, state=State.WAITING),
        replace(ALONE, alone_since=None, parties=(replace(CHAIR, state="connected"),)),
        replace(ALONE, chair_here=True),
    ],
    ids=["waiting", "a clinician is connected", "staff lead from the room"],
)
def test_it_never_asks(session):
    assert after(session, START + ASK_AFTER, START + 2 * ASK_AFTER)[0] == session
