"""Every way to check in, and the pause after five wrong codes."""

from __future__ import annotations

import sqlite3
from itertools import count

import pytest

from provisioning import meeting_log
from tests.system.people import Browsers, Office, Screen
from tests.system.stack import Stack
from tests.system.visit import (
    Booking,
    all_kinds,
    book,
    book_by_command,
    database,
    kinds,
    page_until,
    until,
    wait_for_kind,
)

pytestmark = pytest.mark.end_to_end

SLOT_MIN = 2
_slots = count()


def a_slot() -> int:
    """When the next short session begins, in minutes from now: all can be checked in to, none overlap."""
    return 1 + SLOT_MIN * next(_slots)


def checked_in(stack: Stack, screen: Screen, booked: Booking, how: str) -> None:
    screen.shows("waiting")
    wait_for_kind(stack, booked.sid, "checked_in")
    screen.leave()
    screen.shows("idle")
    assert how in hows(stack, booked.sid)


def hows(stack: Stack, sid: str) -> list[object]:
    with database(stack) as db:
        return [entry.fields.get("how") for entry in meeting_log.of_session(db, sid)]


def boots(stack: Stack) -> int:
    """How often the agent has started, as its store has it."""
    with sqlite3.connect(stack.state / "unit" / "state" / "unit.db") as db:
        return int(db.execute("SELECT value FROM kept WHERE key = 'boot'").fetchone()[0])


def test_by_one_button_where_the_clinic_allows_it(stack: Stack, screen: Screen) -> None:
    booked = book_by_command(stack, "--method", "button", after_min=a_slot(), minutes=SLOT_MIN)
    screen.knows(booked.ref)  # before that, the code would be asked for at once
    screen.page.click("[data-action='checkin']")
    screen.shows("checkin-choose")
    screen.page.click(f"[data-touch='checkin_button'][data-sid='{booked.sid}']")
    checked_in(stack, screen, booked, "button")


def test_by_staff_at_the_touchscreen_with_the_pin(stack: Stack, screen: Screen) -> None:
    booked = book(stack, after_min=a_slot(), minutes=SLOT_MIN)
    pin = stack.access["pin"]
    screen.staff_unlock(f"{(int(pin) + 1) % 10**6:06}")
    screen.page.wait_for_selector("[data-message='wrong_pin']")
    for digit in pin:
        screen.page.click(f"[data-digit='{digit}']")
    screen.page.click("[data-touch='staff_unlock']")
    screen.shows("staff")
    screen.page.click(f"[data-session='{booked.sid}']")
    screen.page.click(f"[data-touch='staff_checkin'][data-sid='{booked.sid}']")
    checked_in(stack, screen, booked, "staff")


@pytest.mark.long
def test_by_staff_from_their_own_pc(stack: Stack, browsers: Browsers, screen: Screen) -> None:
    booked = book(stack, after_min=a_slot(), minutes=SLOT_MIN)
    staff = Office.open(browsers, stack, "staff")
    staff.page.click(f"[data-sid='{booked.sid}'] [data-action='check-in']")
    screen.shows("waiting")
    staff.page.wait_for_selector(f"[data-sid='{booked.sid}'][data-state='waiting']")
    checked_in(stack, screen, booked, "staff_remote")
    staff.page.context.close()


def test_by_code_after_a_kill_with_the_region_out_of_reach(stack: Stack, screen: Screen) -> None:
    booked = book(stack, after_min=a_slot(), minutes=SLOT_MIN)
    before = boots(stack)
    with stack.paused("region", "broker"):
        stack.kill_and_wait("unit")
        until(lambda: boots(stack) == before + 1, "one more start of the agent")
        screen.reload()
        screen.shows("idle")
        screen.check_in(booked.code)
        screen.shows("waiting")
        assert "checked_in" not in kinds(stack, booked.sid)
    checked_in(stack, screen, booked, "code")


@pytest.mark.long
def test_five_wrong_codes_make_a_pause_that_survives_a_kill(stack: Stack, screen: Screen) -> None:
    booked = book(stack, after_min=a_slot(), minutes=SLOT_MIN)
    wrong = [f"{(int(booked.code) + n) % 10**6:06}" for n in range(1, 6)]
    screen.ask_for_code()
    for tries_left, code in enumerate(reversed(wrong)):
        screen.write_code(code)
        said = "wrong_code" if tries_left < 4 else "locked"
        screen.page.wait_for_selector(f"[data-message='{said}']")
    page_until(screen.page, lambda: pause_said(screen), "the pause in words, with the time that is left")

    stack.kill_and_wait("unit")
    page_until(screen.page, lambda: unit_answers(screen), "the agent's answer")
    screen.reload()
    screen.ask_for_code()
    screen.page.wait_for_selector("[data-message='paused']")
    assert pause_said(screen)
    assert screen.page.is_disabled("[data-digit='1']")
    until(lambda: any(kind == "checkin_locked" for kind, _ in all_kinds(stack)), "the pause in the log")


def pause_said(screen: Screen) -> bool:
    words = screen.page.inner_text("[data-message]")
    return "1:" in words or "2:00" in words


def unit_answers(screen: Screen) -> bool:
    return bool(screen.page.evaluate("() => fetch('/healthz').then(answer => answer.ok).catch(() => false)"))
