"""Messages on their way to open pages: bounded queues, so that a slow page is dropped and blocks nobody."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from threading import Condition, Lock
from typing import Any

FEED_LENGTH = 100
CHANGED: Mapping[str, Any] = {"type": "changed"}
HELP: Mapping[str, Any] = {"type": "help"}


class FeedEnded(StopIteration):
    """Nothing more comes: the region stops, or the page was too slow. It ends a response's iteration, upon
    which the browser opens the feed anew."""


class PageFeed:
    """One open page's messages (web.clinic.services.Feed). Filled on any thread, read on the page's own."""

    def __init__(self, closed: Callable[[PageFeed], None], length: int = FEED_LENGTH) -> None:
        self._closed_callback = closed
        self._length = length
        self._messages: deque[Mapping[str, Any]] = deque()
        self._changed = Condition(Lock())
        self._ended = False
        self._closed = False

    @property
    def open(self) -> bool:
        """Whether a message put now can still arrive."""
        with self._changed:
            return not self._ended and not self._closed

    def put(self, message: Mapping[str, Any]) -> None:
        """Queue a message; one that says no more than the last one is left out. Never blocks."""
        with self._changed:
            if self._ended or self._closed:
                return
            if message in (CHANGED, HELP) and message in self._messages:
                return
            if len(self._messages) >= self._length:
                self._messages.clear()
                self._ended = True
            else:
                self._messages.append(message)
            self._changed.notify()

    def end(self) -> None:
        """Nothing more comes after what is queued now."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def get(self, timeout_s: float) -> Mapping[str, Any] | None:
        """The next message, or None when nothing came within timeout_s; raises FeedEnded after the last."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while not self._messages:
                if self._ended or self._closed:
                    raise FeedEnded
                left_s = deadline - time.monotonic()
                if left_s <= 0:
                    return None
                self._changed.wait(left_s)
            return self._messages.popleft()

    def close(self) -> None:
        """The page is gone."""
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._changed.notify_all()
        self._closed_callback(self)


class WatchFeeds:
    """All pages that show a day's list."""

    def __init__(self) -> None:
        self._feeds: set[PageFeed] = set()
        self._lock = Lock()

    def open(self) -> PageFeed:
        """A feed for one more page."""
        feed = PageFeed(self._forget)
        with self._lock:
            self._feeds.add(feed)
        return feed

    def changed(self) -> None:
        """Tell every page that its list may look different."""
        self.tell(CHANGED)

    def tell(self, message: Mapping[str, Any]) -> None:
        """Put a message on every page's feed."""
        with self._lock:
            feeds = list(self._feeds)
        for feed in feeds:
            feed.put(message)

    def end(self) -> None:
        """The region stops."""
        with self._lock:
            feeds = list(self._feeds)
        for feed in feeds:
            feed.end()

    def _forget(self, feed: PageFeed) -> None:
        with self._lock:
            self._feeds.discard(feed)
