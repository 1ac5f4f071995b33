"""Several pages in one meeting, in a real browser: connected to one another, and one more page plays the unit."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "web" / "clinic")]

from meeting_fakes import MeetingRegion
from meeting_pages import served, sign_in

from tests.system.chromium import CHROMIUM, FAKE_MEDIA, PLAYS_AT_ONCE, QUIET

pytestmark = pytest.mark.end_to_end
ANNA = "peera1"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, *FAKE_MEDIA, PLAYS_AT_ONCE])


@pytest.fixture
def region() -> MeetingRegion:
    fake = MeetingRegion()
    fake.add(state="in_call", end=fake.now + timedelta(minutes=30), checked_in_at=fake.now)
    return fake


@pytest.fixture
def address(region: MeetingRegion) -> Iterator[str]:
    with served(region) as url:
        yield url


Opens = Callable[[str], Page]


@pytest.fixture
def opens(browser: Browser, address: str) -> Iterator[Opens]:
    """Signs someone in on a browser context of their own."""
    faults: list[str] = []
    contexts = []

    def open_as(username: str) -> Page:
        contexts.append(browser.new_context(locale="sv-SE", viewport={"width": 1280, "height": 800}))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: faults.append(f"{username}: {error}"))
        sign_in(page, address, username)
        return page

    yield open_as
    for context in contexts:
        context.close()
    assert not faults


def _frames(page: Page, peer: str) -> int:
    video = page.locator(f'.tile[data-peer="{peer}"] video.shown')
    return (
        video.evaluate("(video) => video.getVideoPlaybackQuality().totalVideoFrames") if video.count() else 0
    )


def _connected(page: Page, peer: str) -> None:
    expect(page.locator(f'.tile[data-peer="{peer}"]')).to_have_attribute("data-line", "connected")


def _until(page: Page, happened: Callable[[], bool]) -> None:
    for _ in range(400):
        if happened():
            return
        page.wait_for_timeout(50)
    raise AssertionError("did not happen")


def test_pages_connect_and_say_who_they_are(opens: Opens, region: MeetingRegion) -> None:
    tolk = region.seat("tolk", "interpreter")
    anna = opens("anna")
    other = opens("tolk")
    _connected(anna, tolk)
    _connected(other, ANNA)
    _until(anna, lambda: _frames(anna, tolk) > 10 and _frames(other, ANNA) > 10)
    anna.screenshot(path="/tmp/w/clinic_two.png")
