"""The panel's start button on the touchscreen: the page that it asks for, in a real browser."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "web" / "room"))

from fakes import FakeController, line, screen, view
from serve_fake import served

from agent.screen import AskedPage, Choice
from tests.system.chromium import CHROMIUM, QUIET

pytestmark = pytest.mark.end_to_end

PORT = 25214
READY = (line("A17", 10, methods=("code", "button")),)


@pytest.fixture
def controller() -> FakeController:
    """It was pressed once before the page was there: that asks for nothing."""
    controller = FakeController()
    controller.now = screen(asked_page=AskedPage(1, "staff"))
    return controller


@pytest.fixture
def page(controller: FakeController) -> Iterator[Page]:
    with sync_playwright() as playwright, served(controller, PORT) as address:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET])
        page = browser.new_context(viewport={"width": 1024, "height": 600}).new_page()
        page.goto(address)
        page.wait_for_selector('body[data-view="idle"]')
        yield page
        browser.close()


def test_it_opens_check_in_and_says_what_a_second_press_does(
    page: Page, controller: FakeController, tmp_path: Path
) -> None:
    controller.show(screen(can_check_in=READY, asked_page=AskedPage(2, "checkin", again=True)))
    page.wait_for_selector('body[data-view="checkin-choose"]')
    said = page.locator("[data-again]")
    assert "startknappen en gång till" in said.inner_text()
    box, button = said.bounding_box(), page.locator("[data-touch=checkin_button]").bounding_box()
    assert box and button and box["y"] + box["height"] <= button["y"] < 600
    page.screenshot(path=str(tmp_path / "again.png"))
    controller.show(screen(can_check_in=READY))
    said.wait_for(state="hidden")


def test_it_opens_staff_s_page_and_takes_nobody_from_another_one(
    page: Page, controller: FakeController
) -> None:
    controller.show(screen(staff=(Choice("s1", "Anna"),), asked_page=AskedPage(3, "staff")))
    page.wait_for_selector('body[data-view="staff-who"]')
    controller.show(screen(staff=(Choice("s1", "Anna"),), asked_page=AskedPage(4, "checkin")))
    page.wait_for_timeout(300)
    assert page.get_attribute("body", "data-view") == "staff-who"


def test_it_leaves_a_visit_alone(page: Page, controller: FakeController) -> None:
    controller.show(screen(page="waiting", session=view(), asked_page=AskedPage(5, "staff")))
    page.wait_for_selector('body[data-view="waiting"]')
    page.wait_for_timeout(300)
    assert page.get_attribute("body", "data-view") == "waiting"


def test_the_idle_page_knows_whether_somebody_moves(page: Page, controller: FakeController) -> None:
    controller.show(screen(present=False))
    page.wait_for_selector('body[data-present="no"]')
    controller.show(screen(present=True))
    page.wait_for_selector('body[data-present=""]', state="attached")
