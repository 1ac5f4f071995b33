"""What one browser is to be told: a queue that the agent fills and that browser's web thread empties."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable

from agent.screen import ScreenEvent

QUEUE_LENGTH = 32


class Subscription:
    """One browser's queue. When it is full, the oldest goes: only the newest screen matters."""

    def __init__(self, on_close: Callable[[Subscription], None] = lambda _subscription: None) -> None:
        self._queue: queue.Queue[ScreenEvent] = queue.Queue(QUEUE_LENGTH)
        self._on_close = on_close
        self.asked_at = time.monotonic()
        """When its thread last came for an event; one that stands still comes no more."""

    def get(self, timeout_s: float) -> ScreenEvent | None:
        """The next event, or None."""
        self.asked_at = time.monotonic()
        try:
            return self._queue.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def put(self, event: ScreenEvent) -> None:
        """Never waits."""
        while True:
            try:
                self._queue.put_nowait(event)
            except queue.Full:
                try:
                    self._queue.get_nowait()
                except queue.Empty:
                    continue
            else:
                return

    def close(self) -> None:
        """End the subscription."""
        self._on_close(self)
