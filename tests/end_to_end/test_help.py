"""Help, from the button in the room to the one who comes, over real pages; and with parts of it killed."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.system.people import Browsers, Office, Screen
from tests.system.stack import Stack
from tests.system.visit import all_kinds, page_until, until

pytestmark = pytest.mark.end_to_end

RINGS = "#help-calls [data-rings='yes']"


def says(screen: Screen, state: str) -> None:
    """The touchscreen shows this of the call for help."""
    screen.page.wait_for_selector(f"[data-panel='help-{state}']", timeout=40_000)


def take_back(screen: Screen) -> None:
    screen.page.click("#cover [data-touch='help_over']")
    screen.page.wait_for_selector("[data-panel^='help-']", state="detached")


def quiet(page: Page) -> None:
    page.wait_for_selector("#help-calls [data-help]", state="detached", timeout=40_000)


def test_a_call_rings_on_every_page_until_one_comes_and_the_room_hears_of_it(
    stack: Stack, browsers: Browsers, screen: Screen, clinician: Office
) -> None:
    staff = Office.open(browsers, stack, "staff")
    staff.page.goto(f"{staff.region}/booking")  # a page that has no live list of its own
    screen.page.click("[data-touch='help']")
    says(screen, "sent")
    for page in (clinician.page, staff.page):
        page.wait_for_selector(RINGS)
        page_until(page, lambda page=page: page.title().startswith("▲ HJÄLP"), "the title rings too")
    staff.page.click("[data-action='come']")
    says(screen, "answered")
    # Each page draws its own list anew, when it has heard; the room may be told before them.
    clinician.page.wait_for_selector("#help-calls:has([data-rings='no']):has-text('Personal är på väg.')")
    staff.page.wait_for_selector("#help-calls:has-text('Du är på väg.')")
    page_until(clinician.page, lambda: "HJÄLP" not in clinician.page.title(), "the title is quiet")
    take_back(screen)
    quiet(clinician.page)
    quiet(staff.page)
    until(lambda: "help_over" in [kind for kind, _ in all_kinds(stack)], "the end in the meeting log")
    told = [kind for kind, _ in all_kinds(stack) if kind.startswith("help_")]
    assert sorted(told) == ["help_answered", "help_asked", "help_over", "help_taken"]
    staff.page.context.close()


def test_a_call_outlives_the_region_and_the_unit(stack: Stack, screen: Screen, clinician: Office) -> None:
    screen.page.click("[data-touch='help']")
    says(screen, "sent")
    clinician.page.wait_for_selector(RINGS)
    stack.kill_and_wait("region")
    stack.kill_and_wait("unit")
    clinician.today()
    clinician.page.wait_for_selector(RINGS)
    screen.reload()
    screen.page.wait_for_selector("[data-panel^='help-']", timeout=40_000)
    clinician.page.click("[data-action='come']")
    says(screen, "answered")
    take_back(screen)
    quiet(clinician.page)


@pytest.mark.long
def test_out_of_reach_the_number_stands_there_at_once_and_it_rings_when_the_line_is_back(
    stack: Stack, screen: Screen, clinician: Office
) -> None:
    stack.kill("broker")
    with stack.paused("region"):
        screen.page.click("[data-touch='help']")
        screen.page.wait_for_selector("[data-panel='help-failed'], [data-panel='help-unanswered']")
        assert "112" in screen.page.inner_text("#cover")
    clinician.page.wait_for_selector(RINGS, timeout=60_000)
    clinician.page.click("[data-action='come']")
    says(screen, "answered")
    take_back(screen)
