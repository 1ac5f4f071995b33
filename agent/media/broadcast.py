"""Hands encoded frames from an encoder's thread to its listeners on the event loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from agent.faults import kind_and_place
from agent.media.source import EncodedFrame, Listener, Unsubscribe

log = logging.getLogger(__name__)


class Broadcast:
    """Listeners of one encoder. subscribe on the event loop, send from any thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, on_first: Callable[[], None] = lambda: None) -> None:
        self._loop = loop
        self._listeners: dict[object, Listener] = {}
        self._on_first = on_first

    @property
    def has_listeners(self) -> bool:
        """Whether anybody listens; may be read from any thread."""
        return bool(self._listeners)

    def subscribe(self, listener: Listener) -> Unsubscribe:
        """Add a listener; on_first is called when it is the only one. Unsubscribing twice does nothing."""
        key = object()
        self._listeners[key] = listener
        if len(self._listeners) == 1:
            self._on_first()

        def unsubscribe() -> None:
            self._listeners.pop(key, None)

        return unsubscribe

    def send(self, frame: EncodedFrame) -> None:
        """Deliver a frame on the loop; one that is closed already is the end of a call, and no fault."""
        try:
            self._loop.call_soon_threadsafe(self._deliver, frame)
        except RuntimeError:
            log.debug("a frame came after the event loop's end")

    def _deliver(self, frame: EncodedFrame) -> None:
        for listener in tuple(self._listeners.values()):
            try:
                listener(frame)
            except Exception as error:  # one party's fault must not take the picture from the others
                log.error("a listener of the encoder failed: %s", kind_and_place(error))  # noqa: TRY400
