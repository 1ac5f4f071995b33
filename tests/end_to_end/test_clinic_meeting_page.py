"""The meeting page in a real browser. A second page plays the unit: it offers, and looks at what arrives."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "web" / "clinic")]

from clinic_fakes import SID, FakeRegion
from meeting_pages import Unit, served, sign_in

from tests.system.chromium import CHROMIUM, FAKE_MEDIA, QUIET

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, *FAKE_MEDIA])


@pytest.fixture
def region() -> FakeRegion:
    fake = FakeRegion()
    fake.add(state="booked", end=fake.now + timedelta(minutes=30))
    return fake


@pytest.fixture
def address(region: FakeRegion) -> Iterator[str]:
    with served(region) as url:
        yield url


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with browser.new_context(locale="sv-SE") as context:
        yield context


@pytest.fixture
def page(context: BrowserContext, address: str) -> Iterator[Page]:
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    sign_in(page, address, "anna")
    yield page
    assert not faults


@pytest.fixture
def unit(context: BrowserContext, address: str, region: FakeRegion, page: Page) -> Unit:
    other = context.new_page()
    other.goto(f"{address}/healthz")
    return Unit(region, other)


def _frames(page: Page, attempt: int) -> int:
    video = page.locator(f'#remote video.shown[data-attempt="{attempt}"]')
    if not video.count():
        return 0
    return video.evaluate("(video) => video.getVideoPlaybackQuality().totalVideoFrames")


def _flows(page: Page, unit: Unit, attempt: int) -> Callable[[], bool]:
    """Whether pictures go on arriving at both ends."""
    begun = (_frames(page, attempt), unit.decoded(attempt))
    return lambda: _frames(page, attempt) > begun[0] + 10 and unit.decoded(attempt) > begun[1] + 10


def _arrive_and_admit(page: Page, unit: Unit, region: FakeRegion) -> None:
    admit = page.locator("#admit")
    expect(admit).to_be_disabled()
    region.change(state="waiting", checked_in_at=region.now, checked_in_how="code")
    expect(page.locator("#facts")).to_contain_text("Incheckad med kod")
    admit.click()
    expect(page.locator("#content")).to_have_attribute("data-line", "connecting")
    unit.offer(1)
    unit.relay(_flows(page, unit, 1))


def _steady(page: Page, unit: Unit) -> None:
    expect(page.locator("#content")).to_have_attribute("data-line", "connected")
    expect(page.locator("#line")).to_be_hidden()
    assert unit.kinds.count("answer") == 1


def test_a_visit_from_waiting_to_the_end(page: Page, unit: Unit, region: FakeRegion) -> None:
    _arrive_and_admit(page, unit, region)
    _steady(page, unit)
    unit.relay(lambda: {"type": "state", "microphone": True, "camera": True} in unit.heard(1))

    unit.say(1, {"type": "state", "microphone": False, "camera": True})
    expect(page.locator("#remote-note")).to_have_text("Mikrofonen i rummet är av.")
    page.click("#camera")
    unit.relay(lambda: unit.heard(1)[-1] == {"type": "state", "microphone": True, "camera": False})
    expect(page.locator("#camera")).to_have_text("Slå på kameran")
    page.click("#camera")
    unit.relay(_flows(page, unit, 1))

    page.click("#end")
    page.click("#end-yes")
    expect(page.locator("#ended")).to_be_visible()
    assert region.rows[SID].state == "ended"


def test_a_second_offer_takes_over_and_a_stale_one_does_nothing(
    page: Page, unit: Unit, region: FakeRegion
) -> None:
    _arrive_and_admit(page, unit, region)
    unit.offer(2)
    unit.relay(_flows(page, unit, 2))
    expect(page.locator("#content")).to_have_attribute("data-attempt", "2")
    expect(page.locator("#remote video")).to_have_count(1)
    unit.offer(1)
    unit.relay(_flows(page, unit, 2))
    expect(page.locator("#content")).to_have_attribute("data-attempt", "2")


@pytest.mark.long
def test_a_lost_line_is_said_and_asked_for_anew(page: Page, unit: Unit, region: FakeRegion) -> None:
    _arrive_and_admit(page, unit, region)
    unit.freeze(1)
    unit.relay(lambda: "resync" in unit.kinds)
    expect(page.locator("#line")).to_have_text("Förbindelsen bröts. Vi försöker igen.")
    expect(page.locator('#remote video.shown[data-attempt="1"]')).to_have_count(1)
    unit.offer(2)
    unit.relay(_flows(page, unit, 2))
    expect(page.locator("#line")).to_be_hidden()


@pytest.mark.long
def test_with_the_region_away_the_call_goes_on(page: Page, unit: Unit, region: FakeRegion) -> None:
    def end(_timeout_s: float) -> None:
        raise StopIteration

    _arrive_and_admit(page, unit, region)
    page.route("**/feed?*", lambda route: route.abort())
    region.meetings[SID].get = end
    expect(page.locator("#unreached")).to_be_visible()
    unit.relay(_flows(page, unit, 1))
    expect(page.locator("#content")).to_have_attribute("data-line", "connected")
    page.unroute("**/feed?*")
    expect(page.locator("#unreached")).to_be_hidden()
    expect(page.locator("#content")).to_have_attribute("data-feed", "up")


@pytest.mark.long
def test_a_rebuilt_call_that_comes_to_nothing_leaves_the_old_one_shown(
    page: Page, unit: Unit, region: FakeRegion
) -> None:
    _arrive_and_admit(page, unit, region)
    unit.offer(2)
    answered = {"type": "answer", "attempt": 2}
    unit.wait(lambda: any(answered.items() <= message.items() for message in region.seen))
    unit.wait(_flows(page, unit, 1))
    expect(page.locator("#content")).to_have_attribute("data-line", "connected")
    expect(page.locator("#line")).to_be_hidden()


def test_reload_returns_to_the_same_call(page: Page, unit: Unit, region: FakeRegion) -> None:
    _arrive_and_admit(page, unit, region)
    region.change(state="in_call")
    first = region.meetings[SID]
    page.reload()
    expect(page.locator("#content")).to_have_attribute("data-feed", "up")
    assert region.meetings[SID] is not first
    expect(page.locator("#content")).to_have_attribute("data-stage", "call")
    unit.offer(3)
    unit.relay(_flows(page, unit, 3))


WITHOUT_CAMERA = """
  const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = (wish) =>
    wish.video ? Promise.reject(new DOMException("none", "NotFoundError")) : real(wish);
"""


@pytest.mark.long
def test_without_a_camera_one_takes_part_with_sound(page: Page, unit: Unit, region: FakeRegion) -> None:
    page.add_init_script(WITHOUT_CAMERA)
    page.reload()
    expect(page.locator("#media-problem")).to_have_text(
        "Ingen kamera hittades. Du kan vara med med bara ljud."
    )
    expect(page.locator("#content")).to_have_attribute("data-feed", "up")
    region.change(state="waiting", checked_in_at=region.now, checked_in_how="staff")
    page.click("#admit")
    unit.offer(1)
    unit.relay(lambda: _frames(page, 1) > 10)
    unit.relay(lambda: unit.heard_sound(1))
    unit.relay(lambda: {"type": "state", "microphone": True, "camera": False} in unit.heard(1))


def test_a_second_window_takes_the_meeting_over(page: Page, context: BrowserContext, address: str) -> None:
    other = context.new_page()
    other.goto(f"{address}/meeting/{SID}")
    expect(page.locator("#elsewhere")).to_be_visible()
    expect(page.locator("#content")).to_have_attribute("data-stage", "replaced")
    expect(other.locator("#content")).to_have_attribute("data-feed", "up")


def test_the_list_tells_of_an_arrival_by_itself(page: Page, address: str, region: FakeRegion) -> None:
    page.goto(f"{address}/today")
    expect(page.locator("#rows")).to_have_attribute("data-line", "up")
    region.change(state="waiting", checked_in_at=region.now, checked_in_how="button")
    expect(page.locator(f'[data-sid="{SID}"]')).to_have_attribute("data-state", "waiting")
    expect(page.locator("#announce")).to_have_text("Någon väntar: A17")
    expect(page).to_have_title("(1) väntar · Dagens möten · Hälsorum")
