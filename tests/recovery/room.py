"""A whole system on a network of its own, with a call in it, to which things can be done."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page

from tests.recovery.figures import Played, seen
from tests.system.network import Network
from tests.system.people import Browsers, Office, Screen
from tests.system.stack import Stack
from tests.system.visit import Booking, book_by_command, page_until, pulsed_tone

ROOM_TONE_HZ, OFFICE_TONE_HZ = 1000, 700
OFFICE_WINDOW = (800, 600)
FLOWING_MS = 1500
"""Picture and sound as new as this are flowing; the clinician's tone is pulsed."""
BACK_WITHIN_S = 60.0
SHOWN_WITHIN_S = 4.0
"""What breaks just now plays on for a moment, and is told of only after 2.5 s."""
SETTLED_S = 1.5
_TESTS = Path(__file__).parents[1]

Act = Callable[["Call"], None]


@dataclass(frozen=True)
class Case:
    """What is taken away, for how long, and how it comes back."""

    name: str
    take: Act
    away_s: float
    give: Act = lambda _call: None


@dataclass
class Call:
    """A call that is on."""

    network: Network
    stack: Stack
    browsers: Browsers
    screen: Screen
    office: Office
    booking: Booking
    hung: ExitStack = field(default_factory=ExitStack)

    def play(self, case: Case) -> Played:
        """Take, wait, give back, and wait until all is well or BACK_WITHIN_S is over."""
        self._heal()
        for page in self.pages.values():
            page.evaluate("recorder.take()")
        lost_at = time.time() * 1000
        case.take(self)
        self.linger(case.away_s - (time.time() - lost_at / 1000))
        case.give(self)
        back_at = time.time() * 1000
        self.linger(SHOWN_WITHIN_S)
        try:
            self.wait_until_fine(back_at)
            self.linger(SETTLED_S)
        except AssertionError:
            pass  # the figures say what did not come back
        notes = {name: self.evaluate(page, "recorder.peek()") for name, page in self.pages.items()}
        end_at = time.time() * 1000
        return Played(case.name, {name: seen(note, lost_at, back_at, end_at) for name, note in notes.items()})

    def _heal(self) -> None:
        """A call that the case before has left broken."""
        try:
            self.wait_until_fine()
        except AssertionError:
            self.office.page.reload()
            self.screen.reload()
            self.wait_until_fine()

    @property
    def pages(self) -> dict[str, Page]:
        """By side."""
        return {"touchscreen": self.screen.page, "clinician": self.office.page}

    def linger(self, seconds: float) -> None:
        """Let time pass, for the pages too."""
        if seconds > 0:
            self.screen.page.wait_for_timeout(seconds * 1000)

    def wait_until_fine(self, since_ms: float = 0.0) -> None:
        """Until fresh pictures and the tones come on both sides, and both pages say so."""
        page_until(
            self.screen.page, lambda: self.is_fine(since_ms), "picture and sound both ways", BACK_WITHIN_S
        )

    def is_fine(self, since_ms: float) -> bool:
        """Whether all flows now, and has come since."""
        newest = max(since_ms, time.time() * 1000 - FLOWING_MS)
        return all(self._is_fine(name, page, newest) for name, page in self.pages.items())

    def _is_fine(self, name: str, page: Page, newest: float) -> bool:
        tone = OFFICE_TONE_HZ if name == "touchscreen" else ROOM_TONE_HZ
        notes = self.evaluate(
            page,
            """hz => { recorder.toneHz = hz; const { pictures, sounds, words } = recorder.peek();
              return { picture: pictures.at(-1) ?? 0, sound: sounds.at(-1) ?? 0, word: words.at(-1)?.[1] }; }""",
            tone,
        )
        fine = {"touchscreen": "fine", "clinician": "connected"}[name]
        if notes is None or notes["word"] is None:
            return False
        return bool(min(notes["picture"], notes["sound"]) > newest and notes["word"]["line"] == fine)

    def evaluate(self, page: Page, script: str, argument: Any = None) -> Any:
        """Of a page that may just be loading."""
        try:
            return page.evaluate(script, argument)
        except PlaywrightError:
            return None


def recorder() -> str:
    """What runs in each page before its own scripts."""
    files = (_TESTS / "bench" / "clock_pattern.js", _TESTS / "recovery" / "recorder.js")
    return "\n".join(file.read_text() for file in files)


@contextmanager
def call_on(folder: Path) -> Iterator[Call]:
    """Start everything, and play a visit until picture and sound flow both ways."""
    options = ["--tone-hz", str(ROOM_TONE_HZ), "--burn-clock"]
    sound = pulsed_tone(folder / "office.wav", OFFICE_TONE_HZ)
    with (
        Network() as network,
        Stack(folder / "system", options, network=network) as stack,
        Browsers(folder / "profile", sound=sound, stack=stack) as browsers,
    ):
        browsers.room.add_init_script(recorder())
        screen = Screen.open(browsers, stack)
        clock = (_TESTS / "demo" / "camera_clock.js").read_text()
        office = Office.open(browsers, stack, init_script=f"{recorder()}\n{clock}", window=OFFICE_WINDOW)
        booking = book_by_command(stack, minutes=60)
        screen.shows("idle")
        screen.check_in(booking.code)
        screen.shows("waiting")
        office.open_meeting(booking.sid)
        office.admit()
        call = Call(network, stack, browsers, screen, office, booking)
        call.wait_until_fine()
        with call.hung:
            yield call


def hang(part: str) -> Act:
    """SIGSTOP: the part keeps its connections, and answers nobody."""
    return lambda call: call.hung.enter_context(call.stack.paused(part))


def unhang(call: Call) -> None:
    """SIGCONT for all that hang."""
    call.hung.close()


def kill(part: str) -> Act:
    """kill -9 a part of the system; returns once it listens again."""
    return lambda call: call.stack.kill_and_wait(part)
