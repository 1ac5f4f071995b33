"""Server-sent events (WHATWG HTML, section 9.2): one web thread each, so they are counted."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from threading import Lock
from typing import Any

from flask import Response

from web.clinic.services import Feed

Shape = Callable[[Mapping[str, Any]], Mapping[str, Any]]
RETRY_MS = 2000
PING = "event: ping\ndata: .\n\n"
"""An event, since a page hears no comments, and is to notice when nothing comes at all."""
_LAST = frozenset({"replaced"})
"""After these nothing more comes."""


class TooManyFeeds(RuntimeError):
    """All seats are taken."""


class Seats:
    """How many feeds are open, in all and by account, so that one person cannot starve the others."""

    def __init__(self, most: int, most_per_account: int) -> None:
        self._most = most
        self._most_per_account = most_per_account
        self._taken: Counter[str] = Counter()
        self._lock = Lock()

    def take(self, account_id: str) -> None:
        """Sit down; raises TooManyFeeds."""
        with self._lock:
            if self._taken.total() >= self._most or self._taken[account_id] >= self._most_per_account:
                raise TooManyFeeds
            self._taken[account_id] += 1

    def free(self, account_id: str) -> None:
        """Stand up."""
        with self._lock:
            self._taken[account_id] -= 1
            self._taken += Counter()

    @property
    def taken(self) -> int:
        """How many sit."""
        with self._lock:
            return self._taken.total()


class EventStream:
    """A feed as the body of a response. An object, not a generator: a generator that was never started
    would not run its clean-up when the browser hangs up early."""

    def __init__(
        self,
        feed: Feed,
        *,
        ping_s: float,
        alive: Callable[[], bool],
        shape: Shape,
        released: Callable[[], None],
    ) -> None:
        self._feed = feed
        self._ping_s = ping_s
        self._alive = alive
        self._shape = shape
        self._released = released
        self._begun = False
        self._closed = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if not self._begun:
            self._begun = True
            return f"retry: {RETRY_MS}\n\n"
        if self._closed or not self._alive():
            raise StopIteration
        message = self._feed.get(self._ping_s)
        if message is None:
            return PING
        self._closed = self._closed or message.get("type") in _LAST
        return event(self._shape(message))

    def close(self) -> None:
        """The browser has gone, or the feed is at its end."""
        self._closed = True
        released, self._released = self._released, _nothing
        if released is not _nothing:
            self._feed.close()
            released()


def event(message: Mapping[str, Any]) -> str:
    """One event; JSON has no raw line breaks, so it is one data line."""
    return f"data: {json.dumps(message, ensure_ascii=False, default=str)}\n\n"


def respond(stream: EventStream) -> Response:
    """The response that carries a stream, unbuffered by proxies."""
    return Response(stream, mimetype="text/event-stream", headers={"X-Accel-Buffering": "no"})


def _nothing() -> None:
    """Stands where a release was, once it has been made."""
