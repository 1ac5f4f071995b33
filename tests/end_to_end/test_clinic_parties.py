"""Several pages in one meeting, in a real browser: they connect to each other; one more page plays the unit."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "web" / "clinic")]

from clinic_fakes import SID, FakeFeed
from meeting_fakes import FakeParty, MeetingRegion
from meeting_pages import Unit, served, sign_in

from tests.system.chromium import CHROMIUM, PLAYS_AT_ONCE, QUIET
from tests.system.visit import page_until

pytestmark = pytest.mark.end_to_end
ANNA = "peera1"
SLOW_CAMERA = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream=fps=10")
"""Several pages share one small machine."""
STEADY_CANVAS = """() => {
  navigator.mediaDevices.getDisplayMedia = async () => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [1600, 900];
    const context = canvas.getContext("2d");
    setInterval(() => context.fillText(performance.now(), 20, 20), 200);
    return canvas.captureStream(5);
  };
}"""
PICTURE = """async () => {
  const canvas = new OffscreenCanvas(800, 600);
  canvas.getContext("2d").fillRect(0, 0, 400, 300);
  const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: "image/jpeg" })).arrayBuffer());
  return [...bytes];
}"""
SENDS_BYTES = """([attempt, bytes]) => {
  const { channel } = window.units[attempt];
  for (let at = 0; at < bytes.length; at += 16384) channel.send(new Uint8Array(bytes.slice(at, at + 16384)));
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, *SLOW_CAMERA, PLAYS_AT_ONCE])


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


@pytest.fixture
def anna(opens: Opens) -> Page:
    return opens("anna")


@pytest.fixture
def unit(browser: Browser, address: str, region: MeetingRegion, anna: Page) -> Iterator[Unit]:
    """In a call with Anna's page."""
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{address}/healthz")
        made = Unit(region, page)
        made.offer(1)
        made.relay(lambda: made.joined(1))
        yield made


def _tile(page: Page, peer: str) -> Any:
    return page.locator(f'.tile[data-peer="{peer}"]')


def _frames(page: Page, peer: str) -> int:
    video = page.locator(f'.tile[data-peer="{peer}"] video.shown')
    return (
        video.evaluate("(video) => video.getVideoPlaybackQuality().totalVideoFrames") if video.count() else 0
    )


def _connected(page: Page, peer: str) -> None:
    expect(_tile(page, peer)).to_have_attribute("data-line", "connected")


def _until(page: Page, happened: Callable[[], bool]) -> None:
    page_until(page, happened, "it")


def _open(page: Page, part: str) -> None:
    page.evaluate("(part) => { document.getElementById(part).open = true; }", part)


def _height(page: Page, peer: str) -> int:
    return page.locator(f'.tile[data-peer="{peer}"] video.shown').evaluate("(video) => video.videoHeight")


def _move(page: Page, peer: str) -> Callable[[], bool]:
    begun = _frames(page, peer)
    return lambda: _frames(page, peer) > begun + 5


def test_two_pages_see_hear_and_name_each_other_and_go(
    opens: Opens, anna: Page, region: MeetingRegion
) -> None:
    tolk = region.seat("tolk", "interpreter")
    other = opens("tolk")
    _connected(anna, tolk)
    _connected(other, ANNA)
    moves = (_move(anna, tolk), _move(other, ANNA))
    _until(anna, lambda: all(each() for each in moves))
    assert all(0 < _height(*each) <= 360 for each in ((anna, tolk), (other, ANNA)))

    _open(other, "devices")
    other.fill("#own-name", "Sara Lind")
    other.fill("#own-title", "auktoriserad tolk")
    other.press("#own-title", "Tab")
    expect(anna.locator(f'#people-list [data-peer="{tolk}"]')).to_contain_text("Sara Lind")
    expect(anna.locator(f'#people-list [data-peer="{tolk}"]')).to_contain_text("auktoriserad tolk")
    expect(_tile(anna, tolk)).to_contain_text("Sara Lind, tolk")
    expect(other.locator(f'#people-list [data-peer="{ANNA}"]')).to_contain_text("leder mötet")
    expect(other.locator("#end")).to_be_hidden()
    expect(other.locator("#people-list .actions")).to_have_count(0)
    expect(anna.locator("#end")).to_be_visible()

    other.click("#microphone")
    expect(_tile(anna, tolk)).to_have_attribute("data-microphone", "off")
    _open(other, "chat")
    other.fill("#chat-text", "Kan ni tala lite långsammare?")
    other.press("#chat-text", "Enter")
    expect(anna.locator("#chat-unread")).to_have_text("1 nya")
    expect(anna.locator("#chat-list")).to_contain_text("Kan ni tala lite långsammare?")
    _open(anna, "chat")
    expect(anna.locator("#chat-unread")).to_be_hidden()

    anna.evaluate("() => document.getElementById('people').open = true")
    anna.click(f'#people-list [data-key="actions-{tolk}"] summary')
    anna.click(f'[data-key="sees-{tolk}"]')
    expect(_tile(anna, tolk)).to_have_attribute("data-camera", "off")
    expect(_tile(other, ANNA)).to_have_attribute("data-camera", "off")
    expect(other.locator("#content")).to_have_attribute("data-own-camera", "off")
    expect(other.locator("#camera")).to_be_disabled()

    anna.click(f'[data-key="remove-{tolk}"]')
    expect(other.locator("#elsewhere-words")).to_contain_text("Du är inte längre med i mötet")
    expect(_tile(anna, tolk)).to_have_count(0)


@pytest.mark.long
def test_a_page_that_reloads_is_connected_again(opens: Opens, anna: Page, region: MeetingRegion) -> None:
    """Whichever of the two it is: the one that offers, and the one that answers."""
    tolk = region.seat("tolk", "interpreter")
    other = opens("tolk")
    for reloaded, left, seen in ((other, anna, tolk), (anna, other, ANNA)):
        _connected(left, seen)
        reloaded.reload()
        expect(reloaded.locator("#content")).to_have_attribute("data-feed", "up")
        _until(left, lambda left=left, seen=seen: _frames(left, seen) > 0)
        _until(left, _move(left, seen))
        _connected(left, seen)


def test_what_is_shown_reaches_the_others_with_sharp_text(
    opens: Opens, anna: Page, region: MeetingRegion
) -> None:
    tolk = region.seat("tolk", "specialist")
    other = opens("tolk")
    _connected(other, ANNA)
    _open(other, "showing")
    expect(other.locator("#show-screen")).to_be_disabled()
    _open(anna, "showing")
    anna.click("#sharing-on")
    anna.fill("#consent-organisations", "Kusten\nUniversitetssjukhuset")
    anna.check("#consent-given")
    anna.click("#consent-yes")
    expect(other.locator("#sharing-organisations")).to_contain_text("Universitetssjukhuset")

    other.evaluate(STEADY_CANVAS)
    other.click("#show-screen")
    view = anna.locator(f'[data-view="{tolk}"]')
    expect(view).to_have_attribute("data-large", "true")
    _until(anna, lambda: view.locator("video").evaluate("(video) => video.videoHeight") == 900)
    other.click("#show-stop")
    expect(view).to_have_count(0)
    expect(anna.locator("#remote")).to_have_attribute("data-large", "true")

    anna.click("#sharing-off")
    expect(other.locator("#show-screen")).to_be_disabled()
    page_says = [message for message in region.seen if message["type"] == "share"]
    assert [message["on"] for message in page_says] == [True, False]


def test_what_was_taken_and_not_answered_is_not_left_as_shown(anna: Page, region: MeetingRegion) -> None:
    """Else a large empty picture stands before everyone until this page goes."""
    _open(anna, "showing")
    anna.click("#sharing-on")
    anna.fill("#consent-organisations", "Kusten")
    anna.check("#consent-given")
    anna.click("#consent-yes")
    expect(anna.locator("#show-screen")).to_be_enabled()

    def told() -> list[bool]:
        return [message["on"] for message in region.seen if message["type"] == "share"]

    def loses_the_answer(route: Route) -> None:
        if '"share","on":true' in (route.request.post_data or ""):
            route.fetch()
            route.abort()
        else:
            route.continue_()

    anna.route("**/signal", loses_the_answer)
    anna.evaluate(STEADY_CANVAS)
    anna.click("#show-screen")
    _until(anna, lambda: told() == [True, False])
    expect(anna.locator("#content")).to_have_attribute("data-showing", "off")
    anna.unroute_all()


def test_a_still_is_announced_proved_and_saved_or_gone(anna: Page, unit: Unit, region: MeetingRegion) -> None:
    unit.say(
        1, {"type": "view", "camera": "main", "zoom": None, "hand": True, "sensor": [4056, 3040], "by": ""}
    )
    expect(anna.locator("#camera-which")).to_be_attached()
    _open(anna, "room-camera")
    picture = bytes(unit.page.evaluate(PICTURE))

    def asked() -> str:
        before = {message.get("id") for message in unit.heard(1)}
        anna.click("#still")

        def new() -> list[str]:
            requests = [each["id"] for each in unit.heard(1) if each["type"] == "still_request"]
            return [each for each in requests if each not in before]

        unit.relay(lambda: bool(new()))
        return new()[-1]

    def sends(still: str, digest: str) -> None:
        unit.say(1, {"type": "still_pending", "id": still, "until_s": 3})
        expect(anna.locator("#still-state")).to_contain_text("Patienten får veta")
        head = {"mime": "image/jpeg", "width": 800, "height": 600, "bytes": len(picture), "sha256": digest}
        unit.say(1, {"type": "still", "id": still, **head})
        unit.page.evaluate(SENDS_BYTES, [1, list(picture)])

    sends(asked(), hashlib.sha256(picture).hexdigest())
    expect(anna.locator("#still-size")).to_have_text("800 × 600 bildpunkter")
    with anna.expect_download() as download:
        anna.click("#still-save")
    assert Path(download.value.path()).read_bytes() == picture
    _until(anna, lambda: any(message["type"] == "still_saved" for message in region.seen))
    expect(anna.locator("#still-dialog")).to_be_hidden()

    sends(asked(), "0" * 64)
    expect(anna.locator("#still-state")).to_have_text("Bilden kom inte fram. Försök igen.")
    unit.say(1, {"type": "still_refused", "id": asked(), "reason": "patient"})
    expect(anna.locator("#still-state")).to_have_text("Patienten sa nej till bilden.")


def test_the_rooms_camera_is_steered_by_buttons_and_by_a_box(anna: Page, unit: Unit) -> None:
    _open(anna, "room-camera")
    anna.click("#zoom-nearer")
    unit.relay(lambda: unit.heard(1)[-1]["type"] == "view")
    assert unit.heard(1)[-1]["zoom"] == {"x": 0.15, "y": 0.15, "width": 0.7, "height": 0.7}
    anna.click("#zoom-whole")
    unit.relay(lambda: unit.heard(1)[-1]["zoom"] is None)

    video = anna.locator("#remote video.shown").bounding_box()
    size = anna.locator("#remote video.shown").evaluate("(video) => [video.videoWidth, video.videoHeight]")
    height = video["width"] * size[1] / size[0]
    top = video["y"] + (video["height"] - height) / 2
    anna.mouse.move(video["x"] + 0.25 * video["width"], top + 0.25 * height)
    anna.mouse.down()
    anna.mouse.move(video["x"] + 0.6 * video["width"], top + 0.6 * height)
    anna.mouse.move(video["x"] + 0.75 * video["width"], top + 0.75 * height)
    anna.mouse.up()
    unit.relay(lambda: unit.heard(1)[-1]["zoom"] is not None)
    zoom = unit.heard(1)[-1]["zoom"]
    assert zoom["width"] == zoom["height"] == pytest.approx(0.5, abs=0.02)
    assert (zoom["x"], zoom["y"]) == (pytest.approx(0.25, abs=0.02), pytest.approx(0.25, abs=0.02))

    _open(anna, "people")
    anna.click("#beside-add > summary")
    anna.fill("#beside-name", "Lisa Ek")
    anna.press("#beside-name", "Enter")
    unit.relay(lambda: unit.heard(1)[-1]["type"] == "beside")
    assert unit.heard(1)[-1]["people"][0]["name"] == "Lisa Ek"
    expect(anna.locator("#beside-list")).to_contain_text("Lisa Ek")


def test_who_leads_lets_in_holds_and_hands_over(anna: Page, region: MeetingRegion) -> None:
    region.gathering.parties["peerz9"] = FakeParty("peerz9", "specialist", feed=FakeFeed())
    region.knock("peerx1", "interpreter")
    expect(anna.locator("#lobby-list")).to_contain_text("Tolk vill vara med.")
    expect(anna).to_have_title("Någon vill vara med · Möte A17 · Hälsorum")
    anna.dblclick('[data-key="admit_party-peerx1"]')
    expect(anna.locator("#lobby")).to_be_hidden()
    asked = [message for message in region.seen if message["type"] == "admit_party"]
    assert asked == [{"type": "admit_party", "peer": "peerx1"}]

    anna.click("#hold")
    expect(anna.locator("#held-note")).to_be_visible()
    anna.click("#hold")
    expect(anna.locator("#held-note")).to_be_hidden()

    _open(anna, "people")
    anna.click('[data-key="actions-peerz9"] summary')
    anna.click('[data-key="chair-peerz9"]')
    expect(anna.locator("#content")).to_have_attribute("data-leads", "no")
    expect(anna.locator("#hold")).to_be_hidden()
    region.gathering.chair = ANNA
    region.tell_all()
    expect(anna.locator("#hold")).to_be_visible()


def test_the_wrong_person_in_the_room_is_asked_about_once(anna: Page, region: MeetingRegion) -> None:
    region.change(state="waiting", checked_in_how="code")
    expect(anna.locator("#content")).to_have_attribute("data-stage", "waiting")
    anna.click("#reject")
    anna.click("#reject-no")
    assert all(message["type"] != "reject" for message in region.seen)
    anna.click("#reject")
    anna.click("#reject-yes")
    expect(anna.locator("#content")).to_have_attribute("data-session-state", "ready")
    assert region.rows[SID].state == "ready"


def test_someone_from_outside_prepares_knocks_and_is_let_in(
    browser: Browser, address: str, anna: Page, region: MeetingRegion
) -> None:
    region.stranger("karin", "relative")
    with browser.new_context(locale="sv-SE", viewport={"width": 390, "height": 844}) as context:
        page = context.new_page()
        sign_in(page, address, "karin", joined=False)
        expect(page.locator("#content")).to_have_attribute("data-stage", "prepare")
        expect(page.locator("#self")).to_have_js_property("videoWidth", 1280)
        page.fill("#own-name", "")
        page.click("#join")
        expect(page.locator("#content")).to_have_attribute("data-stage", "prepare")
        page.fill("#own-name", "Karin")
        page.click("#join")
        expect(page.locator("#lobby-note")).to_contain_text("Du väntar på att bli insläppt")
        expect(anna.locator("#lobby-list")).to_contain_text("Närstående vill vara med.")
        anna.click("#lobby-list button:has-text('Släpp in')")
        expect(anna.locator("#people-list")).to_contain_text("Karin")
        expect(page.locator("#lobby-note")).to_be_hidden()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
