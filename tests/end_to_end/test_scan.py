"""Check-in by the QR code of the invitation, held up to the room's camera, at the real touchscreen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.system.people import Browsers, Screen
from tests.system.qr_film import Held, link, make_film
from tests.system.search import broker_holds, found
from tests.system.stack import Stack
from tests.system.visit import (
    all_kinds,
    book,
    kinds,
    page_until,
    sees,
    until,
    wait_for_kind,
    wait_until_ready,
)

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A system whose room sees and hears a film, which is replaced between two openings of the camera."""
    folder = tmp_path_factory.mktemp("scan")
    make_film(folder / "room.mp4", None)
    made = Stack(folder / "system", ["--footage", str(folder / "room.mp4")])
    try:
        with made:
            yield made
    finally:
        print(made.log("unit")[-8000:])


def hold_up(stack: Stack, text: str | None, held: Held = Held()) -> None:
    """From the next opening of the camera on."""
    make_film(stack.state.parent / "room.mp4", text, held, empty_s=0.5)


def open_scan(screen: Screen) -> None:
    screen.shows("idle")
    screen.page.click("[data-action='checkin']")
    screen.shows("checkin-choose")
    screen.page.click("[data-action='scan']")
    screen.shows("checkin-scan")


def refused(screen: Screen, why: str) -> None:
    screen.page.wait_for_selector(f"[data-message='{why}']", timeout=40_000)


def go_back(screen: Screen) -> None:
    screen.page.click("[data-action='back']")
    page_until(screen.page, lambda: screen.page.get_attribute("body", "data-page") != "checkin-scan", "back")
    if screen.page.get_attribute("body", "data-page") != "idle":
        screen.page.click("[data-action='back']")


def test_a_code_on_paper_or_telephone_checks_in_and_no_other_does(stack: Stack, browsers: Browsers) -> None:
    wait_until_ready(stack)
    booked, later = book(stack, after_min=1), book(stack, after_min=60)
    screen = Screen.open(browsers, stack)
    screen.knows(booked.ref)

    hold_up(stack, "WIFI:S:gast;T:WPA;P:hemligt;;")
    open_scan(screen)
    sees(screen.page, ".viewfinder video")
    refused(screen, "foreign_qr")
    go_back(screen)

    hold_up(stack, link(later.token))
    open_scan(screen)
    refused(screen, "too_early")
    go_back(screen)
    until(lambda: stack.log("unit").count("scan closed: 1 codes refused") == 2, "the camera closed each time")

    hold_up(stack, link(booked.token), Held(turned=12, tilted=20, side=240))
    open_scan(screen)
    screen.shows("waiting", timeout_s=40)
    sees(screen.page, "video")
    assert "checked_in" in wait_for_kind(stack, booked.sid, "checked_in")
    ways = [fields["how"] for kind, fields in all_kinds(stack) if kind == "checked_in"]
    refusals = [fields for kind, fields in all_kinds(stack) if kind == "checkin_failed"]
    assert ways == ["qr"]
    assert refusals == [{"how": "qr", "reason": reason} for reason in ("foreign_qr", "too_early")]
    assert "session_degraded" not in kinds(stack, booked.sid)


@pytest.mark.long
def test_what_the_code_says_is_kept_nowhere(stack: Stack, browsers: Browsers) -> None:
    booked = book(stack, after_min=120)
    screen = Screen.open(browsers, stack)
    hold_up(stack, link(booked.token))
    if screen.page.get_attribute("body", "data-page") == "waiting":
        screen.leave()
    open_scan(screen)
    refused(screen, "too_early")
    go_back(screen)
    assert found(stack.state, [booked.token]) == []
    assert found(browsers.profile, [booked.token]) == []
    assert broker_holds(stack, [booked.token]) == []
