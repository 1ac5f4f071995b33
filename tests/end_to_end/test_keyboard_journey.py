"""The patient's whole visit by keyboard alone, with no picture, and heard: what the unit says at each step.

The agent is the one in memory, scripted to move as the real one does; its voice writes down what it should say.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from agent.screen import Announcement, Lock, NoSuchMedia, Outcome, Screen, Touch, WhepAnswer
from tests.screens.touchscreen import FakeController, FakeVoice, screen, served, view
from tests.system.chromium import CHROMIUM, PLAYS_AT_ONCE, QUIET
from tests.system.visit import page_until

pytestmark = pytest.mark.end_to_end

PORT = 25220
TABS_AT_MOST = 40
FOCUSED = """() => {
  const { activeElement: at } = document;
  if (!at || at === document.body) return null;
  return { ...at.dataset, tag: at.tagName, outline: getComputedStyle(at).outlineWidth };
}"""


class Room(FakeController):
    """Moves on as a visit does. It has no pictures and no sound to give."""

    def touch(self, touch: Touch) -> Outcome:
        outcome = super().touch(touch)
        if touch.kind == "checkin_code" and touch.text != "123456":
            return Outcome("wrong_code", Lock(4, None))
        if touch.kind == "checkin_code":
            self.show(self.on_page("waiting", state="waiting"))
        if touch.kind in {"microphone", "camera"}:
            session = replace(self.now.session, **{touch.kind: bool(touch.on)})
            self.show(replace(self.now, session=session))
        if touch.kind == "leave":
            self.show(self.on_page("ended", state="ended", parties=()))
        if touch.kind == "done":
            self.show(replace(screen(), speech=self.now.speech))
        return outcome

    def on_page(self, page: str, **changes: object) -> Screen:
        return replace(self.now, page=page, session=view(**changes))

    def whep_offer(self, name: str, sdp: str) -> WhepAnswer:
        raise NoSuchMedia(name)


class Keyboard:
    """Someone with a keyboard, who knows a button by its stable name."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @property
    def at(self) -> dict[str, str]:
        """The element that has focus, which something always must."""
        found = self.page.evaluate(FOCUSED)
        assert found is not None, "focus was lost"
        return dict(found)

    def to(self, *, key: str = "Tab", **name: str) -> None:
        """Tab to a button."""
        for _ in range(TABS_AT_MOST):
            if name.items() <= self.at.items():
                assert self.at["outline"] != "0px"
                return
            self.page.keyboard.press(key)
        raise AssertionError(f"{name} was not reached by {key}; focus is at {self.at}")

    def press(self, *, by: str = "Enter", **name: str) -> None:
        """Tab to a button and press it."""
        self.to(**name)
        self.page.keyboard.press(by)

    def comes_to(self, page: str) -> None:
        """The page is drawn, and focus is at its heading."""
        self.page.wait_for_selector(f'body[data-page="{page}"]')
        self.page.wait_for_function("document.activeElement?.tagName === 'H1'")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as player:
        launched = player.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, PLAYS_AT_ONCE])
        yield launched
        launched.close()


@pytest.fixture
def voice() -> FakeVoice:
    return FakeVoice()


@pytest.fixture
def room(voice: FakeVoice) -> Room:
    return Room(screen(speech=voice.languages))


@pytest.fixture
def page(browser: Browser, room: Room, voice: FakeVoice) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    with served(room, PORT, voice=voice) as address:
        opened = context.new_page()
        opened.goto(address)
        opened.wait_for_selector('body[data-page="idle"]')
        yield opened
        context.close()


def heard(page: Page, voice: FakeVoice, words: str, language: str = "sv") -> None:
    """Wait until the unit has said this, among other words."""

    def said() -> bool:
        return any(code == language and words in each for code, each in voice.said)

    try:
        page_until(page, said, words)
    finally:
        print(voice.said)


def test_the_whole_visit_by_keyboard_and_by_ear(page: Page, room: Room, voice: FakeVoice) -> None:
    keys = Keyboard(page)
    page.keyboard.press("s")
    heard(page, voice, "Uppläsningen är på")
    heard(page, voice, "Hälsorum 2.")
    keys.to(action="checkin")
    heard(page, voice, "Har du en bokad tid?")
    page.keyboard.press("Enter")
    keys.comes_to("checkin-code")
    heard(page, voice, "Skriv koden från din kallelse.")
    page.keyboard.type("111111")
    heard(page, voice, "6 av 6 siffror")
    page.keyboard.press("Enter")
    heard(page, voice, "Koden stämmer inte. Försök igen. 4 försök kvar.")
    page.keyboard.type("123456")
    keys.press(touch="checkin_code", by="Space")
    keys.comes_to("waiting")
    heard(page, voice, "Du är incheckad.")
    room.show(room.on_page("call", state="in_call"))
    keys.comes_to("call")
    heard(page, voice, "Mötet börjar nu. Du syns och hörs.")
    keys.press(touch="microphone")
    heard(page, voice, "Mikrofonen är av.")
    assert keys.at["touch"] == "microphone"
    keys.press(action="leave")
    heard(page, voice, "Vill du lämna mötet?")
    assert keys.at["action"] == "stay"
    page.keyboard.press("Escape")
    page.wait_for_selector("#panel", state="hidden")
    assert keys.at["action"] == "leave", "focus goes back to what asked"
    page.keyboard.press("Enter")
    keys.press(touch="leave")
    keys.comes_to("ended")
    heard(page, voice, "Mötet är slut.")
    keys.press(touch="done")
    keys.comes_to("idle")
    page.wait_for_selector('html[data-text="100"]')
    assert page.evaluate("async () => (await import('/static/app.js')).app.local.access.speech") is False
    assert [touch.kind for touch in room.touches] == [
        "checkin_code", "checkin_code", "microphone", "leave", "done"]  # fmt: skip
    spoken = " ".join(said for _, said in voice.said)
    assert "111111" not in spoken
    assert "1 2 3" not in spoken


def test_language_and_text_are_chosen_by_keyboard_and_the_way_back_is_escape(
    page: Page, room: Room, voice: FakeVoice
) -> None:
    keys = Keyboard(page)
    keys.press(action="access")
    keys.press(access="text", value="200")
    page.wait_for_selector('html[data-text="200"]')
    assert keys.at["value"] == "200", "focus stays though the sheet was drawn anew"
    keys.to(access="contrast", value="true", key="Shift+Tab")
    page.keyboard.press("Space")
    page.wait_for_selector('html[data-contrast="high"]')
    page.keyboard.press("Escape")
    page.wait_for_selector("#sheet", state="hidden")
    assert keys.at["action"] == "access"
    keys.press(action="language")
    page.keyboard.press("s")
    keys.to(language="ar")
    heard(page, voice, "العربية", "ar")
    page.keyboard.press("Enter")
    page.wait_for_selector('html[lang="ar"][dir="rtl"]')
    assert keys.at.get("action") == "language", keys.at
    keys.press(action="checkin")
    keys.comes_to("checkin-code")
    keys.press(digit="7")
    heard(page, voice, "1 من 6", "ar")
    page.keyboard.press("Escape")
    keys.comes_to("idle")
    assert page.evaluate("document.documentElement.lang") == "ar", "the way back keeps what was chosen"


def test_a_finger_held_in_the_corner_begins_speech_and_presses_nothing(
    page: Page, room: Room, voice: FakeVoice
) -> None:
    page.clock.install()
    page.mouse.move(20, 20)
    page.mouse.down()
    page.clock.fast_forward(1000)  # beside which the real time goes on
    assert voice.said == []
    page.clock.fast_forward(2100)
    page.mouse.up()
    page.clock.resume()
    heard(page, voice, "Uppläsningen är på")
    assert room.touches == []


def test_in_a_call_only_what_is_new_is_said_and_staffs_keys_are_silent(
    page: Page, room: Room, voice: FakeVoice
) -> None:
    keys = Keyboard(page)
    page.keyboard.press("s")
    keys.press(action="staff")
    keys.comes_to("staff-pin")
    heard(page, voice, "PIN-kod")
    keys.to(digit="5")
    page.keyboard.press("Enter")
    heard(page, voice, "1 av")
    assert ("sv", "5") not in voice.said
    page.keyboard.press("Escape")
    room.show(
        room.on_page("call", state="in_call", announcements=(Announcement(1, "joined", "interpreter"),))
    )
    keys.comes_to("call")
    heard(page, voice, "Mötet börjar nu.")
    assert "Videomöte." not in [said for _, said in voice.said]
