"""Whether the touchscreen's pages are served: asked on the watchdog's thread as a browser asks."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from contextlib import closing

ASK_WITHIN_S = 3.0


class PagesAnswer:
    """A Check: the server has answered within the limit. It needs no page to be open, and knows no secret."""

    def __init__(self, port: int, now: float, ask: Callable[[int, float], bool] | None = None) -> None:
        self._port = port
        self._answered_at = now
        self._ask = ask or answers

    def __call__(self, now: float, within_s: float) -> str:
        """Ask once; a machine that is busy for a moment is given the whole limit."""
        if self._ask(self._port, min(ASK_WITHIN_S, within_s / 2)):
            self._answered_at = now
        silent_s = now - self._answered_at
        return f"the pages' server does not answer since {silent_s:.0f} s" if silent_s > within_s else ""


def answers(port: int, within_s: float) -> bool:
    """Whether whoever listens there says anything by HTTP."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=within_s)) as connection:
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status > 0
        except (OSError, http.client.HTTPException):
            return False


def feeds_move(oldest_asked_at: Callable[[], float | None]) -> Callable[[float, float], str]:
    """A Check: each page's feed still comes for the next event. oldest_asked_at: None when no page is open."""

    def check(now: float, within_s: float) -> str:
        asked_at = oldest_asked_at()
        if asked_at is None or now - asked_at <= within_s:
            return ""
        return f"a page's feed stands since {now - asked_at:.0f} s"

    return check
