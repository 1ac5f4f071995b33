"""A whole call between the unit in the machine and a clinician outside, and what arrives there of it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import Page

from tests.system.people import frames
from tests.system.visit import hears, page_until, wait_for_kind
from tests.vm.vivid_counter import PART, Reading, read_counter

if TYPE_CHECKING:
    from tests.vm.lab import Lab

ROOM_PICTURE = "#remote video"
BOARD = Path("firmware/boards/vm.toml")
STEP_WITHIN_S = 120.0
"""For each step of a visit, under emulation."""
LOOK_EVERY_MS = 400
_PICTURE = """([selector, width, height, left, top, right, bottom]) => {
  const video = [...document.querySelectorAll(selector)].find(video => video.videoWidth);
  if (!video) return null;
  const canvas = new OffscreenCanvas(width, height), pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.drawImage(video, 0, 0, width, height);
  const rgba = pen.getImageData(left, top, right - left, bottom - top).data, green = [];
  for (let at = 1; at < rgba.length; at += 4) green.push(rgba[at]);
  return { green, width: video.videoWidth, height: video.videoHeight };
}"""


@dataclass
class Call:
    """One call that is on."""

    lab: Lab
    page: Page
    sid: str

    def frames(self) -> int:
        """How many pictures the clinician's browser has decoded of the room."""
        return frames(self.page, ROOM_PICTURE)

    def size(self) -> tuple[int, int]:
        """Of the picture that arrives."""
        seen = self.page.evaluate(
            f"() => {{const v = document.querySelector('{ROOM_PICTURE}'); return [v.videoWidth, v.videoHeight]}}"
        )
        return seen[0], seen[1]

    def reading(self) -> Reading | None:
        """The camera's own counter in the picture that is shown now, if it can be read."""
        seen = self.page.evaluate(_PICTURE, [ROOM_PICTURE, *camera_size(), *PART])
        return None if seen is None else read_counter(seen["green"])

    def readings(self, count: int, within_s: float = STEP_WITHIN_S) -> list[Reading]:
        """So many of them, each another picture than the one before."""
        found: list[Reading] = []

        def enough() -> bool:
            now = self.reading()
            if now is not None and (not found or now != found[-1]):
                found.append(now)
            return len(found) >= count

        page_until(self.page, enough, f"{count} readings of the camera's counter (had {found})", within_s)
        return found

    def wait_for_frames(self, count: int = 5, within_s: float = STEP_WITHIN_S) -> float:
        """Until so many new pictures have come; returns the seconds to the first of them."""
        before, began = self.frames(), self._now()
        page_until(self.page, lambda: self.frames() != before, "a new picture", within_s)
        first = self._now() - began
        page_until(self.page, lambda: abs(self.frames() - before) >= count, f"{count} new pictures", within_s)
        return first

    def rate(self, seconds: float = 10.0) -> float:
        """Pictures a second over a while. The count begins anew where the page has connected anew meanwhile."""
        before, began, shown = self.frames(), self._now(), 0
        while (took_s := self._now() - began) < seconds:
            self.page.wait_for_timeout(LOOK_EVERY_MS)
            now = self.frames()
            shown, before = shown + (now - before if now >= before else now), now
        return shown / took_s

    def hears(self, tone_hz: int) -> int:
        """How often a tone was the loudest of what came from the room, of twenty."""
        return hears(self.page, ROOM_PICTURE, [tone_hz])[tone_hz]

    def _now(self) -> float:
        return float(self.page.evaluate("() => performance.now() / 1000"))


def camera_size() -> tuple[int, int]:
    """In which size the machine's camera is taken, as its board's profile says."""
    camera = tomllib.loads(BOARD.read_text())["camera"]
    return camera["width"], camera["height"]


def begin(lab: Lab, minutes: float = 60) -> Call:
    """Book through FHIR, check in at the unit, let in outside; returns when pictures come."""
    booked = lab.book(minutes=minutes)
    lab.touchscreen.until("d['page'] == 'idle' and d['can_check_in']", STEP_WITHIN_S)
    outcome = lab.touchscreen.touch("checkin_code", text=booked.code)
    assert outcome.get("ok", outcome.get("refusal") is None), f"not checked in: {outcome}"
    office = lab.office
    office.open_meeting(booked.sid)
    office.page.click("#admit:not([disabled])", timeout=STEP_WITHIN_S * 1000)
    held = Call(lab, office.page, booked.sid)
    held.wait_for_frames(3)
    return held


def end(lab: Lab, held: Call) -> None:
    """The clinician ends it; until the unit has told that it is wiped, and shows its first page again."""
    lab.office.end()
    wait_for_kind(lab.stack, held.sid, "session_wiped")
    lab.touchscreen.touch("done")
