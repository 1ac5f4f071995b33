"""Before the visit something lies before the room's lens: the room finds it, the clinic is told, someone takes it
away. The room's camera is a film (agent/media/footage.py), and the film is replaced."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import av
import numpy as np
from av import VideoFrame
from playwright.sync_api import Page

from agent.contract.instructions import text
from provisioning.models import UnitReport
from tests.provisioning.mail_server import Mailbox, mail_server
from tests.system.people import Office, Screen
from tests.system.stack import Stack
from tests.system.visit import POLL_S, command, database

COVERED = "camera_covered"
CLINIC, RECIPIENT, ADDRESS = "Vårdcentralen", "Receptionen", "kanariereception@vardcentralen.example"
FOUND_WITHIN_S, TOLD_WITHIN_S = 60.0, 150.0
"""Patience on a busy machine. Notices wait for a minute by design (provisioning/notice_plan.py: DEBOUNCE)."""
SIZE, RATE_HZ, SECONDS = (640, 360), 5, 5.4
LUMA, NOISE = 30, 3.0
"""Of a sensor behind a hand: next to black, which is 16, and no two pictures the same."""
ON_SCREEN = f".todo[data-instruction='{COVERED}'] [data-todo]"
LISTED = f"#not-ready [data-instruction='{COVERED}']"


class Post(list[EmailMessage]):
    """A mailbox's mails, with the times at which they came."""

    def __init__(self) -> None:
        super().__init__()
        self.came_at: list[float] = []

    def append(self, mail: EmailMessage) -> None:
        """Keep it; may be called on any thread."""
        self.came_at.append(time.monotonic())
        super().append(mail)

    def about(self, words: str, since: float) -> float | None:
        """When the first mail came after `since` with these words in its subject; None until then."""
        came = zip(list(self), self.came_at, strict=False)
        return next((at for mail, at in came if at >= since and words in str(mail["Subject"])), None)


@dataclass
class Covered:
    """Seconds, None where it did not happen. found_s, told_s: from the covering on to the region's knowing it, and
    to the mail. well_s, told_well_s: the same from the uncovering on. listed, on_screen: the page /readiness, and
    staff's page of the touchscreen, said what to do."""

    found_s: float | None = None
    told_s: float | None = None
    listed: bool = False
    on_screen: bool = False
    well_s: float | None = None
    told_well_s: float | None = None


@dataclass
class Lens:
    """The room's lens, what may lie before it, and where its clinic's mails come."""

    film: Path
    clear: Path
    post: Post = field(default_factory=Post)
    seen: Covered = field(default_factory=Covered)
    _port: int = 0
    _uncovered_at: float = 0.0

    @contextmanager
    def with_mail(self) -> Iterator[Mapping[str, str]]:
        """Run the mail server; gives the region's settings for it, as environment."""
        with mail_server(Mailbox(mails=self.post)) as mailbox:
            yield {
                "HALSORUM_SMTP__HOST": "127.0.0.1",
                "HALSORUM_SMTP__PORT": str(mailbox.port),
                "HALSORUM_SMTP__SECURITY": "none",
                "HALSORUM_SMTP__SENDER": "halsorum@region.example",
            }

    def cover(self, stack: Stack, office: Office, screen: Screen, say: Callable[[str], None]) -> None:
        """Something is put before it, and the region has the room test itself. Until the clinic has been told."""
        command(stack, "region", "recipients", "add", CLINIC, RECIPIENT, "--email", ADDRESS)
        since = self._replace(self.film.with_name("hand.mp4"))
        command(stack, "command", "send", stack.system["unit"], "selftest")
        self.seen.found_s = after(since, office.page, lambda: COVERED in _faults(stack), FOUND_WITHIN_S)
        say(f"the camera is covered: found after {shown(self.seen.found_s)}")
        office.page.goto(f"{office.region}/readiness")
        self.seen.listed = _says_what_to_do(office.page, f"{LISTED} .big")
        self.seen.on_screen = _is_on_screen(screen, stack.access["pin"])
        words = text("sv", COVERED).fault
        self.seen.told_s = self._mail(words, since, office.page)
        say(f"its clinic is told by mail after {shown(self.seen.told_s)}")

    def uncover(self, stack: Stack, office: Office, say: Callable[[str], None]) -> None:
        """It is taken away; the room tests itself again without being asked."""
        spare = self.film.with_name("spare.mp4")
        shutil.copy(self.clear, spare)
        self._uncovered_at = self._replace(spare)
        self.seen.well_s = after(
            self._uncovered_at, office.page, lambda: not _faults(stack, "fail"), FOUND_WITHIN_S
        )
        say(f"the camera is uncovered: the room has found itself well after {shown(self.seen.well_s)}")

    def wait_for_good_news(self, office: Office, say: Callable[[str], None]) -> None:
        """The mail that the room is ready again, which may have come meanwhile."""
        self.seen.told_well_s = self._mail("är klart igen", self._uncovered_at, office.page)
        say(
            f"its clinic was told that it is ready again, {shown(self.seen.told_well_s)} after the uncovering"
        )

    def _replace(self, film: Path) -> float:
        film.replace(self.film)
        return time.monotonic()

    def _mail(self, words: str, since: float, page: Page) -> float | None:
        after(since, page, lambda: self.post.about(words, since), TOLD_WITHIN_S)
        came = self.post.about(words, since)
        return None if came is None else round(came - since, 1)


def room_lens(clear: Path, folder: Path) -> Lens:
    """Of a room that looks like the film; what will lie before it is made ready, too."""
    film = folder / "room.mp4"
    shutil.copy(clear, film)
    write_cover(clear, folder / "hand.mp4")
    return Lens(film, clear)


def write_cover(clear: Path, target: Path) -> Path:
    """What the camera sees of a hand on its lens, with the room's sound as before: microphone and camera share
    the film."""
    noise, (width, height) = np.random.default_rng(7), SIZE
    with av.open(str(clear)) as room, av.open(str(target), "w") as output:
        picture = output.add_stream("libx264", rate=RATE_HZ, options={"preset": "ultrafast"})
        picture.width, picture.height, picture.pix_fmt = width, height, "yuv420p"
        sound = output.add_stream_from_template(room.streams.audio[0])
        planes = np.full((height * 3 // 2, width), 128, np.uint8)
        grain = noise.normal(LUMA, NOISE, (height, width)).clip(16, 235).astype(np.uint8)
        for number in range(round(SECONDS * RATE_HZ)):
            planes[:height] = np.roll(grain, 37 * number, axis=1)
            output.mux(picture.encode(VideoFrame.from_ndarray(planes, "yuv420p")))
        output.mux(picture.encode())
        for packet in room.demux(room.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = sound
                output.mux(packet)
    return target


def after(since: float, page: Page, happened: Callable[[], Any], within_s: float) -> float | None:
    """Seconds from `since` until it happened, while the page's events go on; None if it did not."""
    deadline = time.monotonic() + within_s
    while not happened():
        if time.monotonic() > deadline:
            return None
        page.wait_for_timeout(POLL_S * 1000)
    return round(time.monotonic() - since, 1)


def shown(seconds: float | None) -> str:
    """For people."""
    return "NEVER" if seconds is None else f"{seconds:.1f} s"


def _faults(stack: Stack, level: str | None = None) -> list[str]:
    """What the region has been told of the unit, by instruction; of one level, or all."""
    with database(stack) as db:
        report = db.get_one(UnitReport, stack.system["unit"])
        return [each["instruction"] for each in report.faults if level in {None, each["level"]}]


def _is_on_screen(screen: Screen, pin: str) -> bool:
    """Whether staff read it at the touchscreen, which they lock again."""
    screen.staff_unlock(pin)
    screen.page.click("button[data-view='health']")
    is_said = _says_what_to_do(screen.page, ON_SCREEN)
    screen.page.click("[data-touch='staff_lock']")
    return is_said


def _says_what_to_do(page: Page, place: str) -> bool:
    """Whether the page has, or gets, the one thing to do there, in the words that all have for it."""
    said = page.locator(place)
    happened = after(time.monotonic(), page, lambda: said.count() and said.is_visible(), FOUND_WITHIN_S)
    return happened is not None and said.inner_text() == text("sv", COVERED).do
