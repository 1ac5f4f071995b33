"""Whether the touchscreen lives: when a page of it last said that it had painted (web/room/static/heartbeat.js).

A page says so once a second, after a frame that it painted and an answer of the browser's own process, so that a
browser that hangs falls silent whichever part of it hangs. The agent's watchdog, the mark of a good update and the
kiosk's guard (firmware/kiosk) go by this one reading; the guard, another program, by the file whose time changes.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Lock

log = logging.getLogger(__name__)

ALIVE_WITHIN_S = 10.0
"""Ten times the pages' pace: a page may be busy, or be loaded anew."""
MARK = "screen-alive"
"""The file's name in the folder of settings.run_folder."""
MARK_MODE = 0o640


class ScreenAlive:
    """Every method may be called on any thread."""

    def __init__(self, folder: Path | None = None, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        """With a folder, its file's modification time changes with each word of a page."""
        self._mark = None if folder is None else folder / MARK
        self._monotonic_s = monotonic_s
        self._painted_at: float | None = None
        self._browser = ""
        self._lock = Lock()
        self.on_browser: Callable[[], None] = lambda: None
        """The browser has said another version than before; called on the web's thread."""

    def painted(self, browser: str = "") -> None:
        """A page has painted; `browser` is its version, where the page says it."""
        with self._lock:
            is_new = browser not in {"", self._browser}
            self._browser = browser or self._browser
            self._painted_at = self._monotonic_s()
        if self._mark is not None:
            with suppress(OSError):  # a full /run is told elsewhere; the page must not wait for it
                _touch(self._mark)
        if is_new:
            self.on_browser()

    @property
    def silent_s(self) -> float | None:
        """Seconds since a page last painted; None before the first of this start of the agent."""
        painted_at = self._painted_at
        return None if painted_at is None else self._monotonic_s() - painted_at

    @property
    def is_alive(self) -> bool:
        """Whether a page has painted within ALIVE_WITHIN_S."""
        silent_s = self.silent_s
        return silent_s is not None and silent_s <= ALIVE_WITHIN_S

    @property
    def browser(self) -> str:
        """The browser's version as it says itself, for example 156.0.8078.79; empty before it has."""
        return self._browser


def _touch(mark: Path) -> None:
    try:
        os.utime(mark)
    except FileNotFoundError:
        mark.touch(mode=MARK_MODE)
