"""The touchscreen: its page lives and presents what the agent says, and something there feels a touch.

Asked only where the board's profile says that a browser of this machine shows the pages (screen.kiosk), and that
they are touched (screen.touch): on a board of code nobody needs to have the page open.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from agent.screen_alive import ALIVE_WITHIN_S, ScreenAlive
from agent.selftest import LOOK_S, Context
from agent.verdict import Verdict, found, well
from firmware.board import ScreenProfile
from firmware.found import touch_devices

WAIT_S = 4.0
"""A page that is loaded anew, as after a new start of the browser, paints again within this."""
FIRST_PAGE_WITHIN_S = 90.0
"""After the agent's own start: a Raspberry Pi's browser takes a good part of it from a cold disk."""
FEED_STANDS_AFTER_S = 35.0
"""A page's thread comes for the next event at least every 15 s (web/room), and a late one is no fault."""


class ScreenProbe:
    """A Probe. oldest_asked_at: agent/controller.py's; monotonic_s: time.monotonic's scale, as both that use."""

    name = "screen"

    def __init__(
        self,
        profile: Callable[[], ScreenProfile],
        alive: ScreenAlive,
        oldest_asked_at: Callable[[], float | None],
        sys: Path,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._profile, self._alive, self._sys = profile, alive, sys
        self._oldest_asked_at = oldest_asked_at
        self._monotonic_s = monotonic_s
        self._began_s = monotonic_s()

    async def run(self, context: Context) -> list[Verdict]:
        """The page, then what feels a touch; nothing of what the profile does not ask for."""
        profile = self._profile()
        verdicts = []
        if profile.kiosk:
            page = await self._page(context)
            verdicts += [page] if page is not None else []
        if profile.touch:
            verdicts.append(self._touch())
        return verdicts

    async def _page(self, context: Context) -> Verdict | None:
        waited_s = 0.0
        while (why := self._why_dark()) and waited_s < WAIT_S and await context.pause(LOOK_S):
            waited_s += LOOK_S
        silent_s = self._alive.silent_s
        if not why:
            return well("screen", silent_s or 0.0, "s")
        if silent_s is None and self._monotonic_s() < self._began_s + FIRST_PAGE_WITHIN_S:
            return None  # the browser is being started
        return found("screen_page", silent_s or 0.0, "s", reason=why)

    def _why_dark(self) -> str:
        silent_s = self._alive.silent_s
        if silent_s is None:
            return "no page has painted since the agent's start"
        if silent_s > ALIVE_WITHIN_S:
            return f"no page has painted for {silent_s:.0f} s"
        asked_at = self._oldest_asked_at()
        stands_s = 0.0 if asked_at is None else self._monotonic_s() - asked_at
        return f"the page's feed stands since {stands_s:.0f} s" if stands_s > FEED_STANDS_AFTER_S else ""

    def _touch(self) -> Verdict:
        devices = touch_devices(self._sys)
        if devices:
            return well("touch", float(len(devices)), "devices")
        return found("screen_touch", 0.0, "devices", reason="no input device feels a touch on the screen")
