"""A whole meeting with four remote parties in real Chromium pages, and nothing of it left afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.demo.canaries import Canary, search
from tests.system.guests import Guest, invite, let_in, open_part
from tests.system.people import Browsers, Office, Screen
from tests.system.search import write_broker_store
from tests.system.stack import Stack
from tests.system.visit import book, page_until, sees, wait_for_kind, wait_until_ready

pytestmark = [pytest.mark.end_to_end, pytest.mark.long]
NAMES = {"interpreter": "Tolk Kanarie", "relative": "Anhörig Kanarie", "specialist": "Ortoped Kanarie"}
LINE = "Kanariefågelns rad i chatten"
TILES = "figure.party[data-picture='on']"


def test_four_parties_and_the_room_see_each_other_and_leave_nothing(own_stack: Stack, tmp_path: Path) -> None:
    stack = own_stack
    wait_until_ready(stack)
    booking = book(stack)
    with Browsers(tmp_path / "profile") as browsers:
        screen = Screen.open(browsers, stack)
        screen.check_in(booking.code)
        screen.shows("waiting")
        office = Office.open(browsers, stack, window=(960, 600))
        office.open_meeting(booking.sid)
        seats = {role: invite(office, role) for role in NAMES}
        office.admit()
        page = office.page
        page.wait_for_selector("#content[data-line='connected']")
        guests = {role: Guest.open(browsers, seat) for role, seat in seats.items()}
        for role, guest in guests.items():
            guest.knock(NAMES[role], f"Org {role}")
        let_in(office, len(guests))
        for guest in guests.values():
            guest.takes_part()

        for one in (page, *(guest.page for guest in guests.values())):
            sees(one, "#remote video", frames=10)
            page_until(
                one,
                lambda one=one: one.locator("#tiles .tile[data-line='connected']").count() == 3,
                "the three other pages",
                30,
            )
            sees(one, "#tiles .tile video", frames=5)
        page_until(
            screen.page, lambda: screen.page.locator(TILES).count() == 4, "four pictures in the room", 30
        )
        shown = screen.page.inner_text("#main")
        assert all(name in shown for name in NAMES.values()), "each party's name as given"

        open_part(guests["interpreter"].page, "chat")
        guests["interpreter"].page.fill("#chat-text", LINE)
        guests["interpreter"].page.press("#chat-text", "Enter")
        screen.page.wait_for_selector(f"text={LINE}")
        open_part(page, "chat")
        page.wait_for_selector(f"#chat-list >> text={LINE}")

        guests["relative"].page.click("#leave")
        page_until(
            screen.page, lambda: screen.page.locator(TILES).count() == 3, "three pictures in the room", 15
        )
        office.end()
        screen.shows("ended")
        guests["specialist"].page.wait_for_selector("#ended")
        wait_for_kind(stack, booking.sid, "session_wiped")
        browsers.room.pages[0].wait_for_timeout(500)
    write_broker_store(stack)
    wanted = [Canary(name, name) for name in (*NAMES.values(), LINE)]
    wanted += [Canary("code of a seat", seat.code, kind="number") for seat in seats.values()]
    assert search({"": stack.state, "browser profile/": tmp_path / "profile"}, wanted) == []
