"""Those who come by a link: knocking, let in or turned away, two with one link, and the link after the end."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from provisioning import meeting_log
from provisioning.meeting_models import MeetingStanding, Seat
from tests.system.people import Browsers, Guest, Office, Screen
from tests.system.stack import Stack
from tests.system.visit import book, database, kinds, page_until, sees, until, wait_for_kind

pytestmark = pytest.mark.end_to_end

CANARY = "Tolkkanarie 4711"


def invite(office: Office, sid: str, role: str, label: str = "") -> tuple[str, str, str]:
    """From the session's page in a window of its own; returns link, code and seat."""
    page = office.page.context.new_page()
    page.goto(f"{office.region}/sessions/{sid}")
    page.select_option("#seat-role", role)
    page.fill("#seat-label", label)
    page.click("#seat-make")
    page.wait_for_selector("#seat-invitation")
    link, code = page.inner_text("#seat-link"), page.get_attribute("#seat-code", "data-code")
    seat = page.get_attribute("#seat-invitation", "data-seat")
    page.close()
    assert link and code and seat
    return link, code, seat


def roles_at_unit(stack: Stack, sid: str, kind: str = "peer_joined") -> list[str]:
    """The roles that the unit itself has told of."""
    with database(stack) as db:
        entries = meeting_log.of_session(db, sid)
        return [str(entry.fields.get("role")) for entry in entries if entry.kind == kind]


def answer_knock(office: Office, role: str, how: str) -> None:
    """The chair lets in or turns away whoever knocks."""
    assert role in office.page.inner_text("#lobby-list li").lower()
    office.page.click(f"#lobby-list [data-key^='{how}']")


def test_an_interpreter_comes_by_link_and_code_and_the_link_ends_with_the_meeting(
    stack: Stack, browsers: Browsers, screen: Screen, clinician: Office
) -> None:
    booked = book(stack)
    link, code, seat = invite(clinician, booked.sid, "interpreter", CANARY)
    screen.check_in(booked.code)
    screen.shows("waiting")
    clinician.open_meeting(booked.sid)
    wait_for_kind(stack, booked.sid, "peer_joined")

    guest = Guest.open(browsers, link, (390, 844))
    guest.write_code("000000" if code != "000000" else "000001")
    guest.page.wait_for_selector("#code-problem:not([hidden])")
    guest.knock(code, "Tolk Tolksson")
    guest.is_at("lobby")
    clinician.page.wait_for_selector("#lobby-list li")
    wait_for_kind(stack, booked.sid, "knocked")
    assert roles_at_unit(stack, booked.sid) == ["clinician"], "the unit hears of nobody who waits outside"

    answer_knock(clinician, "tolk", "admit_party")
    until(
        lambda: roles_at_unit(stack, booked.sid) == ["clinician", "interpreter"],
        "the interpreter at the unit",
    )
    clinician.admit()
    sees(guest.page, "#remote video")
    sees(clinician.page, "#remote video")
    sees(screen.page, "video[data-media^='peer/']")

    guest.page.reload()
    guest.page.wait_for_selector("#remote video")
    guest.page.evaluate("scrollTo(0, 0)")  # on a telephone the picture is above what one wrote last
    sees(guest.page, "#remote video")
    assert kinds(stack, booked.sid).count("knocked") == 1, "a reload is not asked about again"

    second = Guest.open(browsers, link)
    assert second.page.is_visible("#in-use")
    second.knock(code, "En annan")
    second.is_at("lobby")
    clinician.page.wait_for_selector("#lobby-list li")
    answer_knock(clinician, "tolk", "admit_party")
    guest.is_at("replaced")
    sees(second.page, "#remote video")

    clinician.end()
    second.page.wait_for_url("**/seat/ended")
    wait_for_kind(stack, booked.sid, "session_wiped")
    late = Guest.open(browsers, link)
    late.page.wait_for_selector("#gone:not([hidden])")
    with database(stack) as db:
        assert db.scalars(select(Seat)).all() == []
        assert db.scalars(select(MeetingStanding)).all() == []
        logged = [(entry.kind, dict(entry.fields)) for entry in meeting_log.of_session(db, booked.sid)]
    told = str(logged)
    for secret in (CANARY, "Tolksson", code, link.partition("#")[2]):
        assert secret not in told
        assert secret not in stack.log("region") + stack.log("unit")
    assert {"seat_made", "seat_claimed", "knocked", "party_admitted"} <= {kind for kind, _ in logged}
    assert seat in told
    for person in (guest, second, late):
        person.page.context.close()
    screen.shows("ended")
    screen.page.click("[data-touch='done']")


@pytest.mark.long
def test_one_who_is_turned_away_is_told_and_one_who_is_shown_out_too(
    stack: Stack, browsers: Browsers, screen: Screen, clinician: Office
) -> None:
    screen.shows("idle")
    booked = book(stack)
    link, code, _ = invite(clinician, booked.sid, "relative")
    clinician.open_meeting(booked.sid)
    guest = Guest.open(browsers, link)
    guest.knock(code, "Anhörig")
    guest.is_at("lobby")
    clinician.page.wait_for_selector("#lobby-list li")
    answer_knock(clinician, "närstående", "reject_party")
    guest.is_at("replaced")
    page_until(guest.page, lambda: guest.page.is_visible("#elsewhere"), "words for one who was turned away")
    wait_for_kind(stack, booked.sid, "party_rejected")
    assert roles_at_unit(stack, booked.sid) == ["clinician"]

    clinician.page.goto(f"{clinician.region}/sessions/{booked.sid}")
    clinician.page.click(".seats button")
    clinician.page.wait_for_selector("#seat-form")
    guest.page.goto("about:blank")
    guest.page.goto(link)
    guest.page.wait_for_selector("#gone:not([hidden])")
    guest.page.context.close()
