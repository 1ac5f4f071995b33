"""More than one page, and more than one session, in one room."""

from __future__ import annotations

import pytest

from tests.system.people import Browsers, Office, Screen
from tests.system.stack import Stack
from tests.system.visit import book, book_by_command, kinds, sees, until, wait_for_kind

pytestmark = pytest.mark.end_to_end

REMOTE = "video[data-media^='peer/']"


def back_to_idle(screen: Screen) -> None:
    screen.shows("ended")
    screen.page.click("[data-touch='done']")
    screen.shows("idle")


def test_a_second_window_takes_over_and_the_last_clinician_to_leave_ends(
    stack: Stack, browsers: Browsers, screen: Screen, clinician: Office
) -> None:
    booked = book(stack)
    screen.check_in(booked.code)
    screen.shows("waiting")
    clinician.open_meeting(booked.sid)
    clinician.admit()
    sees(clinician.page, "#remote video")
    sees(screen.page, REMOTE)

    second = Office.open(browsers, stack)
    second.open_meeting(booked.sid)

    clinician.page.wait_for_selector("#elsewhere:not([hidden])")
    assert clinician.page.inner_text("#elsewhere h2")
    sees(second.page, "#remote video")
    sees(screen.page, REMOTE)
    assert clinician.page.get_attribute("#content", "data-stage") == "replaced"

    second.page.click("#leave")
    second.page.wait_for_selector("#ended")
    back_to_idle(screen)
    until(lambda: "session_wiped" in kinds(stack, booked.sid), "the session wiped")
    second.page.context.close()


def test_without_a_waiting_room_the_patient_comes_in_at_once_and_may_leave(
    stack: Stack, screen: Screen, clinician: Office
) -> None:
    booked = book_by_command(stack, "--no-waiting-room")
    clinician.open_meeting(booked.sid)
    wait_for_kind(stack, booked.sid, "peer_joined")
    screen.check_in(booked.code)
    screen.shows("call")
    sees(screen.page, REMOTE)
    sees(clinician.page, "#remote video")

    screen.leave()
    back_to_idle(screen)
    clinician.page.wait_for_selector("#ended")
    log = wait_for_kind(stack, booked.sid, "session_wiped")
    assert "admit_asked" not in log
    assert log.index("checked_in") < log.index("admitted") < log.index("call_started")


@pytest.mark.long
def test_the_next_session_finds_the_room_taken_until_it_is_free(
    stack: Stack, browsers: Browsers, screen: Screen
) -> None:
    first = book(stack, after_min=1, minutes=5)
    second = book(stack, after_min=6, minutes=5)
    screen.check_in(first.code)
    screen.shows("waiting")

    staff = Office.open(browsers, stack, "staff")
    staff.page.click(f"[data-sid='{second.sid}'] [data-action='check-in']")
    wait_for_kind(stack, second.sid, "checkin_failed")
    assert "checked_in" not in kinds(stack, second.sid)
    screen.shows("waiting")

    screen.leave()
    screen.shows("idle")
    screen.check_in(second.code)
    screen.shows("waiting")
    staff.page.wait_for_selector(f"[data-sid='{second.sid}'][data-state='waiting']")
    assert staff.page.get_attribute(f"[data-sid='{first.sid}']", "data-state") == "ready"
    screen.leave()
    screen.shows("idle")
