"""Calls through the real surfaces, as short or as long as wanted."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.system.people import Office, Screen, frames
from tests.system.stack import Stack
from tests.system.visit import PATIENCE_S, Booking, book, sees, wait_for_kind

PARTY, ROOM = "video[data-media^='peer/']", "#remote video"
SEEN_FRAMES = 3
STILL_S = 60.0


class Visits:
    """One touchscreen and one clinician who meet again and again."""

    def __init__(self, stack: Stack, screen: Screen, office: Office) -> None:
        self._stack = stack
        self._screen = screen
        self._office = office

    def begin(self) -> Booking:
        """Book a time, check in, let in; returns when each has seen pictures of the other."""
        booked = book(self._stack, after_min=1, minutes=120)
        self._screen.check_in(booked.code)
        self._screen.shows("waiting", PATIENCE_S)
        self._office.open_meeting(booked.sid)
        self._office.admit()
        self._screen.shows("call", PATIENCE_S)
        sees(self._screen.page, PARTY, SEEN_FRAMES)
        sees(self._office.page, ROOM, SEEN_FRAMES)
        return booked

    def end(self, booked: Booking) -> None:
        """End it at the clinician's; returns when the unit has wiped it and is idle."""
        self._office.end()
        self._screen.shows("ended")
        self._screen.page.click("[data-touch='done']")
        self._screen.shows("idle")
        wait_for_kind(self._stack, booked.sid, "session_wiped")

    def short(self) -> float:
        """A whole call; returns how many seconds it took."""
        began = time.monotonic()
        self.end(self.begin())
        return time.monotonic() - began

    def stay(self, seconds: float, every_s: float, look: Callable[[], None]) -> list[str]:
        """Be in call for so long, looking every so often; returns what was seen to stand still, and when."""
        began = looked = watched = time.monotonic()
        before = self._frames()
        still: list[str] = []
        while (now := time.monotonic()) < began + seconds:
            self._office.page.wait_for_timeout(200)
            if now - looked >= every_s:
                looked = now
                look()
            if now - watched >= STILL_S:
                watched, after = now, self._frames()
                still += [f"{side} at {now - began:.0f} s" for side in after if after[side] <= before[side]]
                before = after
        return still

    def where(self) -> str:
        """What both pages show now, for whoever wonders why it went no further."""
        shown = self._screen.page.get_attribute("body", "data-page")
        office = self._office.page.evaluate(
            "() => JSON.stringify([location.pathname, {...document.querySelector('#content')?.dataset}])"
        )
        return f"the touchscreen shows {shown}, the clinician's page {office}"

    def _frames(self) -> dict[str, int]:
        return {"touchscreen": frames(self._screen.page, PARTY), "clinician": frames(self._office.page, ROOM)}
