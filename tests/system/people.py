"""Patient, clinician and staff, who click and type what a person would, in real Chromium pages."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self
from zoneinfo import ZoneInfo

import psutil
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from tests.system.chromium import CHROMIUM, FAKE_MEDIA, PLAYS_AT_ONCE, QUIET
from tests.system.stack import Stack

FLAGS = [*QUIET, PLAYS_AT_ONCE]
SHOWN_WITHIN_S = 60.0
"""A page follows what the region, the broker and the unit do one after the other, beside two other suites."""
ZONE = ZoneInfo("Europe/Stockholm")


class Browsers:
    """Two browsers: the room's own, with its profile in a folder that can be searched, and the clinician's."""

    def __init__(
        self,
        profile: Path,
        *,
        video: Path | None = None,
        sound: Path | None = None,
        stack: Stack | None = None,
    ) -> None:
        """With a stack that has a network of its own, each browser runs on its side of it."""
        self.profile = profile
        self._room_program = self._office_program = CHROMIUM
        self._insecure: list[str] = []
        if stack is not None and stack.network is not None:
            folder, network = profile.parent, stack.network
            self._room_program = str(network.unit.wrapper(folder, CHROMIUM))
            self._office_program = str(network.office.wrapper(folder, CHROMIUM))
            # Browsers give a camera to secure origins alone, and there is no TLS proxy in these tests.
            self._insecure = [f"--unsafely-treat-insecure-origin-as-secure={stack.system['region']}"]
        self._media = list(FAKE_MEDIA)
        if video is not None:
            self._media.append(f"--use-file-for-fake-video-capture={video}")
        if sound is not None:
            self._media.append(f"--use-file-for-fake-audio-capture={sound}")

    def __enter__(self) -> Self:
        self._playwright = sync_playwright().start()
        self.room: BrowserContext = self.open_room()
        self.office: Browser = self._playwright.chromium.launch(
            executable_path=self._office_program, args=[*FLAGS, *self._insecure, *self._media]
        )
        return self

    def open_room(self) -> BrowserContext:
        """The room's browser, or a new one after the old was killed."""
        return self._playwright.chromium.launch_persistent_context(
            str(self.profile),
            executable_path=self._room_program,
            args=FLAGS,
            viewport={"width": 1280, "height": 800},
            locale="sv-SE",
        )

    def kill_room(self) -> None:
        """kill -9 the room's browser, and open it anew."""
        for process in psutil.process_iter(["cmdline"]):
            if f"--user-data-dir={self.profile}" in (process.info["cmdline"] or ()):
                process.kill()
        with suppress(PlaywrightError):
            self.room.close()
        self.room = self.open_room()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.office.close()
        self.room.close()
        self._playwright.stop()


@dataclass
class Screen:
    """The touchscreen."""

    page: Page

    @classmethod
    def open(cls, browsers: Browsers, stack: Stack) -> Screen:
        """Load it as the kiosk does."""
        page = browsers.room.pages[0] if browsers.room.pages else browsers.room.new_page()
        page.goto(stack.system["screen"])
        screen = cls(page)
        screen.page.wait_for_selector("body[data-page]")
        return screen

    def shows(self, name: str, timeout_s: float = SHOWN_WITHIN_S) -> None:
        """Wait until this page is shown."""
        self.page.wait_for_selector(f"body[data-page='{name}']", timeout=timeout_s * 1000)

    def knows(self, ref: str) -> None:
        """Wait until idle tells of this time: the unit may have it before the page has."""
        self.page.wait_for_selector(f"[data-next]:has-text('{ref}')", timeout=SHOWN_WITHIN_S * 1000)

    def check_in(self, code: str) -> None:
        """Press start, write the code, press on."""
        self.ask_for_code()
        self.write_code(code)

    def ask_for_code(self) -> None:
        """Go from idle to the page that asks for the code, past the times that one button checks in to."""
        self.page.click("[data-action='checkin']")
        self.page.wait_for_selector("body[data-page^='checkin-']")
        if self.page.get_attribute("body", "data-page") == "checkin-choose":
            self.page.click("[data-action='code']")

    def write_code(self, code: str) -> None:
        """On the keypad."""
        for digit in code:
            self.page.click(f"[data-digit='{digit}']")
        self.page.click("[data-touch='checkin_code']")

    def reload(self) -> None:
        """As when the kiosk's browser loads the page anew."""
        self.page.reload()
        self.page.wait_for_selector("body[data-page]:not([data-page='loading'])")

    def staff_unlock(self, pin: str) -> None:
        """Go to staff's pages and write the PIN."""
        to_staff(self.page)
        self.shows("staff-pin")
        for digit in pin:
            self.page.click(f"[data-digit='{digit}']")
        self.page.click("[data-touch='staff_unlock']")

    def leave(self) -> None:
        """Leave, and mean it."""
        self.page.click("[data-action='leave']")
        self.page.click("[data-touch='leave']")


def to_staff(page: Page) -> None:
    """To staff's pages: from idle by a button of the page, otherwise by the sheet that the footer opens."""
    page.wait_for_selector("[data-action='access']")
    if not page.is_visible("[data-action='staff']"):
        page.click("[data-action='access']")
    page.click("[data-action='staff']")


@dataclass
class Office:
    """A browser page at the region, signed in."""

    page: Page
    region: str

    @classmethod
    def open(
        cls,
        browsers: Browsers,
        stack: Stack,
        who: str = "clinician",
        init_script: str | None = None,
        account: tuple[str, str] | None = None,
        window: tuple[int, int] = (1280, 800),
    ) -> Office:
        """Sign in on a fresh browser context, as `who` of the stack's accounts or with a name and password."""
        context = browsers.office.new_context(
            locale="sv-SE",
            viewport={"width": window[0], "height": window[1]},
            permissions=["camera", "microphone"],
        )
        if init_script is not None:
            context.add_init_script(init_script)
        page = context.new_page()
        region = stack.system["region"]
        page.goto(f"{region}/")
        username, password = account or (stack.access[who], stack.access[f"{who}_password"])
        page.fill("#username", username)
        page.fill("#password", password)
        page.click("#sign-in-button")
        page.wait_for_selector("#rows")
        return cls(page, region)

    def book(self, start: datetime | None = None, minutes: int = 30) -> tuple[str, str]:
        """Book the room; returns sid and code as the invitation shows them."""
        start = (start or datetime.now(ZONE) + timedelta(minutes=5)).astimezone(ZONE)
        self.page.goto(f"{self.region}/booking")
        self.page.fill("#date", start.strftime("%Y-%m-%d"))
        self.page.fill("#time", start.strftime("%H:%M"))
        self.page.select_option("#length", str(minutes))
        self.page.click("#book")
        self.page.wait_for_selector("#invitation")
        sid = self.page.get_attribute("#invitation", "data-sid")
        code = self.page.get_attribute("#code", "data-code")
        assert sid and code
        return sid, code

    def open_meeting(self, sid: str) -> None:
        """Go to the meeting page."""
        self.page.goto(f"{self.region}/meeting/{sid}")

    def today(self) -> None:
        """Go to the day's list."""
        self.page.goto(f"{self.region}/")
        self.page.wait_for_selector("#rows")

    def admit(self) -> None:
        """Let the patient in, when someone waits."""
        self.page.click("#admit:not([disabled])")

    def end(self) -> None:
        """End the meeting for all."""
        self.page.click("#end")
        self.page.click("#end-yes")


@dataclass
class Guest:
    """Someone who comes by a link, on a browser of their own."""

    page: Page

    @classmethod
    def open(cls, browsers: Browsers, link: str, window: tuple[int, int] = (1280, 800)) -> Guest:
        """Open the link."""
        context = browsers.office.new_context(
            locale="sv-SE",
            viewport={"width": window[0], "height": window[1]},
            permissions=["camera", "microphone"],
        )
        page = context.new_page()
        page.goto(link)
        page.wait_for_selector("#content:not([data-state='looking'])")
        return cls(page)

    def write_code(self, code: str) -> None:
        """The code, and on to the meeting's page."""
        self.page.fill("#code", code)
        self.page.click("#go")

    def knock(self, code: str, name: str) -> None:
        """Write the code, then the name that the others see, and wait outside."""
        self.write_code(code)
        self.page.fill("#own-name", name)
        self.page.click("#join")

    def is_at(self, stage: str, timeout_s: float = SHOWN_WITHIN_S) -> None:
        """Wait until the meeting's page is there: lobby, waiting, call, replaced."""
        self.page.wait_for_selector(f"#content[data-stage='{stage}']", timeout=timeout_s * 1000)


FRAMES = """selector => {
  const videos = [...document.querySelectorAll(selector)];
  return Math.max(0, ...videos.map(v => v.getVideoPlaybackQuality().totalVideoFrames));
}"""


def frames(page: Page, selector: str) -> int:
    """Decoded frames of the video that has most."""
    return int(page.evaluate(FRAMES, selector))
