"""A whole visit through the real surfaces: booked, checked in, waiting, admitted, in call, ended, wiped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.system.people import Browsers, Office, Screen
from tests.system.search import broker_holds, found
from tests.system.stack import Stack
from tests.system.visit import (
    KINDS,
    Booking,
    book,
    command,
    hears,
    page_until,
    quality,
    sees,
    until,
    wait_for_kind,
    wait_until_ready,
)

pytestmark = pytest.mark.end_to_end

ROOM_TONE_HZ, OFFICE_TONE_HZ = 1000, 700
NAME, NUMBER, REASON = "Kanarina Kanarsson", "19121212-1212", "kanariesymtom i vänster knä"
PATIENT = {
    "identifier": [{"system": "urn:test:tidbok", "value": "kanarie-bokning-1"}],
    "description": REASON,
    "comment": f"{NAME} {NUMBER}",
    "participants": [
        {
            "actor": {
                "display": NAME,
                "identifier": {"system": "urn:oid:1.2.752.129.2.1.3.1", "value": NUMBER},
            },
            "status": "accepted",
        }
    ],
}


def test_a_visit_from_booking_to_nothing_left(
    stack: Stack, browsers: Browsers, screen: Screen, clinician: Office
) -> None:
    screen.shows("idle")
    wait_until_ready(stack)
    booked = book(stack, **PATIENT)
    screen.knows(booked.ref)

    screen.check_in(booked.code)
    screen.shows("waiting")
    sees(screen.page, "video[data-media='self']")
    page_until(
        screen.page,
        lambda: float(screen.page.get_attribute(".level", "data-level") or 0) > 0,
        "microphone level",
    )

    row = f"[data-sid='{booked.sid}']"
    # The session's state and the room's come as two messages.
    clinician.page.wait_for_selector(f"{row}[data-state='waiting'][data-room-state='in_session']")
    clinician.page.click(f"{row} [data-action='meeting']")
    wait_for_kind(stack, booked.sid, "peer_joined")
    clinician.admit()

    screen.shows("call")
    sees(screen.page, "video[data-media^='peer/']")
    sees(clinician.page, "#remote video")
    clinician.page.wait_for_selector("#content[data-line='connected'][data-session-state='in_call']")
    at_office = hears(clinician.page, "#remote video", [ROOM_TONE_HZ, OFFICE_TONE_HZ])
    at_room = hears(screen.page, "video[data-media^='peer/']", [ROOM_TONE_HZ, OFFICE_TONE_HZ])
    assert at_office[ROOM_TONE_HZ] >= 20 > 4 * at_office[OFFICE_TONE_HZ], at_office
    assert at_room[OFFICE_TONE_HZ] >= 20 > 4 * at_room[ROOM_TONE_HZ], at_room

    all_three_report(stack, booked)
    clinician.end()
    screen.shows("ended")
    clinician.page.wait_for_selector("#ended")
    screen.page.click("[data-touch='done']")
    screen.shows("idle")

    told = wait_for_kind(stack, booked.sid, "session_wiped")
    # A picture that a busy machine lets stand still is told too, rightly.
    assert [kind for kind in told if kind != "call_warning"] == list(KINDS)
    screen.check_in(booked.code)
    screen.page.wait_for_selector("[data-message='used_code']")
    screen.page.click("[data-action='back']")
    assert command(stack, "log", "verify")["ok"] is True
    the_course_is_drawn(clinician, booked)
    assert_nothing_is_left(stack, browsers, booked)


def all_three_report(stack: Stack, booked: Booking) -> None:
    """The unit, the touchscreen through it, and the clinician's page tell how they see the call."""

    def reports() -> tuple[dict[str, Any], dict[str, Any]] | None:
        told = quality(stack, booked.sid)
        units = [row for row in told if row["source"] == "unit" and "shown" in row["parties"][0]]
        pages = [row for row in told if row["source"] != "unit" and row.get("sent") and row.get("received")]
        return (units[-1], pages[-1]) if units and pages else None

    unit, page = until(reports, "figures of the unit, the touchscreen and the clinician's page")
    party = unit["parties"][0]
    assert (party["role"], page["role"], page["source"]) == ("clinician", "clinician", party["peer"])
    assert party["shown"]["frame_rate"] > 0 < page["received"]["frame_rate"]
    # Not the same: the picture's size follows the line, and the two did not look at one moment.
    assert party["sent"]["width"] > 0 < page["received"]["width"]
    assert party["received"]["bit_rate"] > 0 < unit["encodings"][0]["bit_rate"]
    assert unit["machine"]["agent_cpu"] > 0


def the_course_is_drawn(clinician: Office, booked: Booking) -> None:
    """From the held meeting's page to the plot, which has lines in both directions."""
    clinician.page.goto(f"{clinician.region}/sessions/{booked.sid}")
    clinician.page.click("#to-course")
    clinician.page.wait_for_selector("#course[data-parts='2']")
    for way in ("#way0", "#way1"):
        assert clinician.page.locator(f"{way} svg.plot path.line").count() >= 4
    clinician.page.click("#nav-calls")
    clinician.page.wait_for_selector(f"#calls [data-sid='{booked.sid}'][data-verdict]")


def assert_nothing_is_left(stack: Stack, browsers: Browsers, booked: Booking) -> None:
    """Of the patient nowhere, of the code nowhere, of the session nowhere but at the region."""
    person = [NAME, NUMBER, NUMBER.replace("-", ""), REASON, "kanarie-bokning-1"]
    code = [booked.code]
    session = [booked.sid]
    assert not found(stack.state, person)
    assert not found(stack.state, code, but=frozenset({"access.json"}))
    on_unit = [stack.state / "unit", stack.state / "logs" / "unit.log", browsers.profile]
    for place in on_unit:
        assert not found(place, person + code + session)
    until(lambda: not broker_holds(stack, session), "the broker's store without the session")


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a 123456.")
    (tmp_path / "b").write_bytes("kanarie-1".encode("utf-16-le"))
    (tmp_path / "c").write_text("91234567")
    assert [file.name for file in sorted(found(tmp_path, ["123456", "kanarie-1"]))] == ["a", "b"]
