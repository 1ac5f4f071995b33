"""What the touchscreen shows for what the unit believes."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from agent.checkin import TryLock
from agent.config import Configuration
from agent.contract.schedule import ScheduledSession
from agent.room import Room
from agent.screen_view import ENDED_SHOWN, STAFF_LIST, View, call_line, screen
from agent.session import LOST_AFTER, Party, Session, State
from agent.staff import Desk

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def booked(plan):
    return Session(ScheduledSession.model_validate_json(json.dumps(plan)))


@pytest.fixture
def session(make_plan):
    return booked(make_plan())


def shown(*sessions, **changes):
    whole = View(
        now=NOW,
        room=Room(tested_at=NOW),
        configuration=Configuration(1, "Rum 4", "08-123", ("sv", "en"), "$argon2id$"),
        sessions=sessions,
        region_up=True,
        code_lock=TryLock(),
        pin_lock=TryLock(),
        desk=Desk(),
        ended=None,
        ended_at=None,
        help_state="none",
        microphone=True,
        camera=True,
        media_failed=False,
        language=None,
        media_generation=0,
    )
    return screen(replace(whole, **changes))


def test_an_idle_room_shows_the_next_time_and_ref_and_nothing_of_whom_one_meets(session):
    document = shown(session)
    assert (document.page, document.ready, document.session) == ("idle", True, None)
    assert document.next_session.ref == "A17"
    assert "Norra kliniken" not in repr(document)


@pytest.mark.parametrize(
    ("state", "page"), [(State.WAITING, "waiting"), (State.ADMITTED, "call"), (State.IN_CALL, "call")]
)
def test_who_sits_in_the_room_has_the_page(session, state, page):
    held = replace(session, state=state)
    assert shown(held).page == page
    assert shown(held).session.clinic == "Norra kliniken"
    assert shown(held, media_failed=True).page == "fault"


def test_only_ready_sessions_can_be_checked_in_to(session):
    assert shown(session).can_check_in == ()
    assert [line.sid for line in shown(replace(session, state=State.READY)).can_check_in] == [
        session.plan.sid
    ]


def test_the_end_is_shown_for_a_while_and_then_forgotten(session):
    ended = replace(session, state=State.ENDED, end_reason="ended_by_clinician")
    document = shown(ended=ended, ended_at=NOW - ENDED_SHOWN + SECOND)
    assert (document.page, document.session.ended_reason) == ("ended", "ended_by_clinician")
    document = shown(ended=ended, ended_at=NOW - ENDED_SHOWN)
    assert (document.page, document.session) == ("idle", None)


def test_the_screen_begins_as_loud_and_in_the_colours_that_the_room_has():
    configuration = replace(Configuration(1, "Rum 4", "", ("sv",), None), volume=2, high_contrast=True)
    document = shown(configuration=configuration)
    assert (document.volume, document.high_contrast) == (2, True)


def test_the_patient_is_asked_while_nobody_answers_for_long(session):
    asked = replace(session, state=State.IN_CALL, alone_since=NOW, asked_at=NOW)
    assert shown(asked).session.alone
    assert not shown(replace(asked, asked_at=None)).session.alone


def test_staff_see_what_comes_soon_while_unlocked(session, make_plan):
    later_min = STAFF_LIST / timedelta(minutes=1)
    later = Session(
        ScheduledSession.model_validate_json(json.dumps(make_plan("b7n2w5c8z0r4", later_min, later_min + 30)))
    )
    over = replace(session, state=State.CANCELLED)
    document = shown(session, later, over, desk=Desk(NOW + SECOND, opened_with="$argon2id$"))
    assert [line.sid for line in document.staff_sessions] == [session.plan.sid]
    document = shown(session, desk=Desk(NOW, opened_with="$argon2id$"))
    assert (document.staff_sessions, document.staff_unlocked_until) == ((), None)


def test_a_pause_after_wrong_codes_is_told_until_it_ends():
    paused = TryLock(5, NOW + SECOND)
    assert shown(code_lock=paused).code_lock.until == NOW + SECOND
    document = shown(code_lock=TryLock(5, NOW), pin_lock=TryLock(2))
    assert (document.code_lock.tries_left, document.code_lock.until) == (5, None)
    assert document.pin_lock.tries_left == 3


@pytest.mark.parametrize(
    ("state", "alone_s", "confirmed", "line"),
    [
        (State.IN_CALL, None, True, "fine"),
        (State.IN_CALL, 1, True, "reconnecting"),
        (State.IN_CALL, LOST_AFTER.total_seconds(), True, "lost"),
        (State.ADMITTED, 1, True, "fine"),  # nobody's media has come yet: that is no fault
        (State.ADMITTED, 1, False, "reconnecting"),
        (State.WAITING, 500, True, "fine"),
    ],
)
def test_the_line_is_mended_before_it_is_called_lost(session, state, alone_s, confirmed, line):
    since = None if alone_s is None else NOW - timedelta(seconds=alone_s)
    assert call_line(replace(session, state=state, alone_since=since, confirmed=confirmed), NOW) == line


def test_the_waiting_patient_is_told_of_delay_parties_and_the_chosen_language(session):
    party = Party("p1", "clinician", "account", chair=True, instance="i1", state="connected")
    waiting = replace(session, state=State.WAITING, parties=(party,))
    told = shown(waiting, now=session.plan.start + SECOND, language="fi", camera=False).session
    assert (told.late, told.language, told.camera) == (True, "fi", False)
    assert [(line.peer, line.state) for line in told.parties] == [("p1", "connected")]
    assert shown(waiting).session.late is False
