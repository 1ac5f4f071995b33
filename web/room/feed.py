"""The state feed: server-sent events (WHATWG HTML section 9.2), one web thread each, and counted."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator

from flask import Blueprint, Response, request

from agent.screen import RoomController, ScreenEvent, ScreenEvents, TooManyScreens
from web.room.guard import plain
from web.room.wire import screen_json

log = logging.getLogger(__name__)

PING_S = 10.0
POLL_S = 0.25
"""How soon a stream notices that its browser has gone or that the server stops."""
RECONNECT_MS = 500


class Streams:
    """Counts open streams, and ends them all when the server stops."""

    def __init__(self, limit: int) -> None:
        self._free = threading.BoundedSemaphore(limit)
        self.stopping = threading.Event()

    def take(self) -> bool:
        """Whether there was room for one more."""
        return not self.stopping.is_set() and self._free.acquire(blocking=False)

    def give_back(self) -> None:
        """A stream has ended."""
        self._free.release()


class Stream(Iterator[bytes]):
    """One browser's feed as response body: a message for each event, a comment every ten quiet seconds."""

    def __init__(self, events: ScreenEvents, streams: Streams, gone: Callable[[], bool]) -> None:
        self._events = events
        self._streams = streams
        self._gone = gone
        self._lock = threading.Lock()
        self._closed = False
        self._first: list[bytes] = [f"retry: {RECONNECT_MS}\n\n".encode()]

    def __next__(self) -> bytes:
        if self._first:
            return self._first.pop()
        quiet_until = time.monotonic() + PING_S
        while not (self._streams.stopping.is_set() or self._gone()):
            event = self._events.get(POLL_S)
            if event is not None:
                return message(event[0], _data_of(event))
            if time.monotonic() >= quiet_until:
                return b": still here\n\n"
        raise StopIteration

    def close(self) -> None:
        """Called by the server when the response ends, for whatever reason; harmless twice."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._events.close()
        self._streams.give_back()


def _data_of(event: ScreenEvent) -> str:
    if event[0] == "screen":
        return screen_json(event[1])
    return f"{event[1]:.1f}" if event[0] == "level" else f"{event[1]:.4f}"


def message(kind: str, data: str) -> bytes:
    """One event. The data must hold no line break, which JSON never does."""
    return f"event: {kind}\ndata: {data}\n\n".encode()


def blueprint(controller: RoomController, streams: Streams) -> Blueprint:
    """`GET /api/feed` and `GET /api/screen`."""
    bp = Blueprint("feed", __name__)

    @bp.get("/api/screen")
    def screen() -> Response:
        return Response(screen_json(controller.screen()), content_type="application/json")

    @bp.get("/api/feed")
    def feed() -> Response:
        if not streams.take():
            return plain("The screen is open in too many windows. Close the others.", 503)
        try:
            events = controller.subscribe()
        except TooManyScreens:
            streams.give_back()
            return plain("The screen is open in too many windows. Close the others.", 503)
        except BaseException:
            streams.give_back()
            raise
        # Waitress tells when the browser has hung up; other servers do not, and find out when they write.
        gone = request.environ.get("waitress.client_disconnected", lambda: False)
        return Response(Stream(events, streams, gone), content_type="text/event-stream")

    return bp
