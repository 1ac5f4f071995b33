"""The touch that opens and closes the page which reads a QR code."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from agent.scanning import Scanning
from agent.screen import Outcome, Touch


def scan_touches(scanning: Scanning) -> dict[str, Callable[[Touch], Awaitable[Outcome]]]:
    """The handlers by kind of touch."""

    async def scan(touch: Touch) -> Outcome:
        if touch.on is None:
            return Outcome("bad_request")
        if touch.on:
            return Outcome(scanning.open())
        scanning.close()
        return Outcome()

    return {"scan": scan}
