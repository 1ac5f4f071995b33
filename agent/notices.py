"""What the region has to say to the room, handed to whoever waits for it."""

from __future__ import annotations

import logging
from collections.abc import Callable

from agent.contract.events import Notice

log = logging.getLogger(__name__)


class Notices:
    """One handler a kind of notice. Used on the event loop."""

    def __init__(self) -> None:
        self._handlers: dict[str, Callable[[Notice], None]] = {}

    def on(self, kind: str, handler: Callable[[Notice], None]) -> None:
        """Hand notices of this kind (Notice lists them) to handler; a kind has one."""
        self._handlers[kind] = handler

    def take(self, kind: str, notice: Notice) -> None:
        """Hand it over; a kind that a newer region made up is logged and dropped."""
        handler = self._handlers.get(kind)
        if handler is None:
            log.info("notice dropped: its kind is not known here")
        else:
            handler(notice)
