"""The touchscreen's page in a real browser: pictures decode, targets are as large as a finger, words are legible.

The agent is the one in memory; its pictures come from stock aiortc, which only this file knows.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from aiortc import AudioStreamTrack, RTCPeerConnection, RTCSessionDescription, VideoStreamTrack
from av import VideoFrame
from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "web" / "room"))

from fakes import NOW, FakeController, screen, view
from serve_fake import served
from states import STATES

from agent.screen import Lock, NoSuchMedia, Outcome, Touch, WhepAnswer
from tests.system.chromium import CHROMIUM, QUIET
from tests.system.people import to_staff
from tests.system.visit import page_until

pytestmark = pytest.mark.end_to_end

PORT = 25200
SIZES = [(1280, 800), (1024, 600)]
PATIENCE_MS = 60_000
SHIFTS = """window.shifts.filter((one) => !one.hadRecentInput && one.value > 0.0001)
  .map((one) => "shifted " + one.value.toFixed(4) + " "
    + one.sources.map(({ node }) => node?.outerHTML?.slice(0, 80)).join(" "))"""
"""What moved after it was drawn and was not touched (Layout Instability API)."""


class Stripes(VideoStreamTrack):
    """A picture that changes with each frame."""

    async def recv(self) -> VideoFrame:
        timestamp, time_base = await self.next_timestamp()
        pixels = np.full((180, 320, 3), (timestamp // 3000 * 8) % 256, dtype=np.uint8)
        pixels[:, :: 2 + timestamp // 3000 % 7] = (30, 160, 90)
        frame = VideoFrame.from_ndarray(pixels, format="rgb24")
        frame.pts, frame.time_base = timestamp, Fraction(time_base)
        return frame


class MediaController(FakeController):
    """Answers offers with a real connection, on an event loop of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.connections: dict[str, RTCPeerConnection] = {}
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def whep_offer(self, name: str, sdp: str) -> WhepAnswer:
        self.offers.append((name, sdp))
        if name not in {"self", "peer/p1"}:
            raise NoSuchMedia(name)
        answer = asyncio.run_coroutine_threadsafe(self.answer(sdp), self.loop).result(10)
        resource = f"r{len(self.offers)}"
        self.connections[resource] = answer
        return WhepAnswer(answer.localDescription.sdp, resource)

    async def answer(self, sdp: str) -> RTCPeerConnection:
        connection = RTCPeerConnection()
        await connection.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        connection.addTrack(Stripes())
        if "m=audio" in sdp:
            connection.addTrack(AudioStreamTrack())
        await connection.setLocalDescription(await connection.createAnswer())
        return connection

    def whep_close(self, resource: str) -> None:
        super().whep_close(resource)
        if resource in self.connections:
            self.hang_up(resource)

    def hang_up(self, resource: str) -> None:
        connection = self.connections.pop(resource)
        asyncio.run_coroutine_threadsafe(connection.close(), self.loop).result(10)

    def stop(self) -> None:
        for resource in list(self.connections):
            self.hang_up(resource)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET])
        yield chromium
        chromium.close()


@pytest.fixture
def controller() -> Iterator[MediaController]:
    made = MediaController()
    yield made
    made.stop()


@pytest.fixture(params=SIZES, ids=["10 inch", "7 inch"])
def sized(request: pytest.FixtureRequest, browser: Browser, controller: MediaController) -> Iterator[Page]:
    yield from opened(browser, controller, request.param)


@pytest.fixture
def page(browser: Browser, controller: MediaController) -> Iterator[Page]:
    yield from opened(browser, controller, SIZES[0])


def opened(browser: Browser, controller: MediaController, size: tuple[int, int]) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": size[0], "height": size[1]})
    complaints: list[str] = []
    with served(controller, PORT, size) as address:
        page = context.new_page()
        watch_shifts(page)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None
        )
        page.goto(address)
        page.wait_for_selector('body[data-page="idle"]')
        yield page
        context.close()
    assert complaints == []


def frames(page: Page, name: str) -> int:
    return int(
        page.eval_on_selector(
            f'video[data-media="{name}"]', "v => v.getVideoPlaybackQuality().totalVideoFrames"
        )
    )


def wait_for_more_frames(page: Page, name: str, count: int = 10) -> None:
    page.wait_for_selector(f'video[data-media="{name}"]', state="attached")  # the page draws when it is told
    before = frames(page, name)
    # Not wait_for_function, which evaluates a string in the page: the page's policy forbids that.
    page_until(page, lambda: frames(page, name) >= before + count, f"{count} more frames of {name}")


def test_a_visit_from_check_in_to_a_fresh_page(page: Page, controller: MediaController) -> None:
    page.click('[data-action="checkin"]')
    for digit in "907731":
        page.click(f'[data-digit="{digit}"]')
    page.click('[data-touch="checkin_code"]')
    page.wait_for_selector(".digits[data-digits='0']")
    assert controller.touches == [Touch("checkin_code", text="907731")]

    controller.show(screen(page="waiting", session=view(parties=())))
    page.wait_for_selector('body[data-page="waiting"]')
    wait_for_more_frames(page, "self")
    controller.level(-15.0)
    page.wait_for_selector('[data-level="0.75"]', state="attached")

    controller.show(screen(page="call", session=view(state="in_call")))
    page.wait_for_selector('[data-media-tile="peer/p1"][data-picture="on"]', timeout=PATIENCE_MS)
    wait_for_more_frames(page, "peer/p1")
    assert (
        page.eval_on_selector(
            'video[data-media="peer/p1"]', "v => !v.muted && v.srcObject.getAudioTracks().length"
        )
        == 1
    )
    assert [name for name, _ in controller.offers] == ["self", "peer/p1"], (
        "the self-view's connection lives on"
    )

    page.evaluate("window.left = 'of the patient'")
    controller.show(screen(page="ended", session=view(state="ended", parties=())))
    page.wait_for_selector('body[data-page="ended"]')
    page.click('[data-touch="done"]')
    controller.show(screen())
    page.wait_for_selector('body[data-page="idle"]')
    page_until(page, lambda: page.evaluate("window.left === undefined"), "a fresh document")
    page_until(page, lambda: sorted(controller.closed) == ["r1", "r2"], "both connections closed")


def test_media_that_breaks_or_is_renewed_comes_back(page: Page, controller: MediaController) -> None:
    controller.show(screen(page="call", session=view(state="in_call")))
    wait_for_more_frames(page, "peer/p1")
    page_until(page, lambda: len(controller.offers) == 2, "both offers")
    # The old pictures go on until the page has the document.
    controller.show(screen(page="call", session=view(state="in_call"), media_generation=2))
    page_until(page, lambda: len(controller.offers) == 4, "both offers anew")
    wait_for_more_frames(page, "peer/p1")
    assert len(controller.offers) == 4


def test_offers_name_no_local_names_and_wait_for_nothing(page: Page, controller: MediaController) -> None:
    controller.show(screen(page="call", session=view(state="in_call")))
    wait_for_more_frames(page, "peer/p1")
    assert all(".local" not in sdp for _, sdp in controller.offers)


@pytest.mark.long
@pytest.mark.parametrize("language", ["sv", "en"])
def test_targets_fit_a_finger_and_words_are_legible(
    sized: Page, controller: MediaController, language: str
) -> None:
    measure = (Path(__file__).parent / "measure_targets.js").read_text("utf-8")
    wrong = {}
    for name in STATES:
        open_state(sized, controller, name, language)
        wrong[name] = sized.evaluate(measure) + sized.evaluate(SHIFTS)
    assert {name: found for name, found in wrong.items() if found} == {}


def choose_language(page: Page, code: str) -> None:
    page.click('#foot [data-action="language"]')
    page.click(f'#sheet [data-language="{code}"]')


def watch_shifts(page: Page) -> None:
    page.add_init_script(
        """window.shifts = [];
        new PerformanceObserver((list) => window.shifts.push(...list.getEntries()))
          .observe({ type: "layout-shift", buffered: true });"""
    )


def open_state(page: Page, controller: MediaController, name: str, language: str) -> None:
    state = STATES[name]
    if state.session:
        state = replace(state, session=replace(state.session, language=language))
    controller.now = state
    page.reload()
    page.wait_for_selector("body[data-view]:not([data-view='loading'])")
    covered = state.help_state != "none" or state.locating or state.page == "halted"
    if language == "en" and not state.session and not covered:
        choose_language(page, "en")
    if name in {"idle-button", "code-locked", "idle-qr", "idle-all-ways", "scan"}:
        page.click('[data-action="checkin"]')
    if name == "scan":
        page.click('[data-action="scan"]')
    if name.startswith(("staff", "pin")):
        to_staff(page)
    if not covered or state.session:
        page.wait_for_selector(f'html[lang="{language}"]')


def test_a_screens_size_that_is_set_anew_lays_the_page_out_anew(
    page: Page, controller: MediaController
) -> None:
    def width() -> float:
        return float(page.evaluate("document.querySelector('[data-action=checkin]').offsetHeight"))

    before, mm = width(), page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--mm')")
    controller.resized(float(mm.strip().removesuffix("px")) * 1.25)  # a smaller glass of as many pixels
    page_until(page, lambda: width() >= before * 1.1, "larger targets")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_five_wrong_codes_are_a_pause_that_is_counted_down(page: Page, controller: MediaController) -> None:
    page.click('[data-action="checkin"]')
    controller.outcomes["checkin_code"] = Outcome("wrong_code", Lock(1, None))
    page.keyboard.type("111111")
    page.click('[data-touch="checkin_code"]')
    page.wait_for_selector('[data-message="wrong_code"]:has-text("Ett försök kvar")')
    controller.outcomes["checkin_code"] = Outcome("locked", Lock(0, NOW + timedelta(minutes=2)))
    page.keyboard.type("222222")
    page.click('[data-touch="checkin_code"]')
    page.wait_for_selector('[data-message="locked"]:has-text("Vänta 1:")')
    assert page.is_disabled('[data-digit="1"]')
    controller.show(screen(now=NOW + timedelta(minutes=3)))
    page.wait_for_selector('[data-digit="1"]:enabled')


def test_an_abandoned_check_in_warns_and_goes_home(page: Page, controller: MediaController) -> None:
    page.clock.install()
    page.reload()
    choose_language(page, "en")
    page.click('[data-action="checkin"]')
    page.clock.fast_forward(91_000)
    page.wait_for_selector('#panel:has-text("Are you still here?")')
    page.click('[data-touch="still_here"]')
    page.wait_for_selector("#panel", state="hidden")
    page.clock.fast_forward(91_000)
    page.wait_for_selector('#panel:has-text("Are you still here?")')
    page.clock.fast_forward(31_000)
    page.wait_for_selector('body[data-page="idle"]')
    page.wait_for_selector('html[lang="sv"]')


def test_leaving_is_asked_once_and_help_is_always_there(page: Page, controller: MediaController) -> None:
    controller.show(screen(page="call", session=view(state="in_call")))
    page.click('[data-action="leave"]')
    page.click('[data-action="stay"]')
    assert controller.touches == []
    page.click('[data-action="leave"]')
    page.click('[data-touch="help"]')
    page.wait_for_selector('#cover:has-text("Vi har larmat personalen")')
    page.click('[data-action="help-read"]')
    page.click('[data-touch="leave"]')  # the question waits beneath
    page_until(page, lambda: len(controller.touches) == 2, "both touches")
    assert [touch.kind for touch in controller.touches] == ["help", "leave"]


def test_a_server_that_goes_away_is_said_and_comes_back(
    browser: Browser, controller: MediaController
) -> None:
    context = browser.new_context()
    page = context.new_page()
    with served(controller, PORT) as address:
        page.goto(address)
        page.wait_for_selector('body[data-page="idle"]')
    page.wait_for_selector('body[data-panel="feed-lost"]', timeout=PATIENCE_MS)
    with served(controller, PORT):
        page.wait_for_selector('body[data-panel=""]', timeout=PATIENCE_MS)
        context.close()
