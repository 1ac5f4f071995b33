"""How often something may come: for what pages send by themselves."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock

MOST_KEYS = 2000


class Pause:
    """Lets each key through once in so many seconds. Every method may be called on any thread."""

    def __init__(self, seconds: float, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._monotonic_s = monotonic_s
        self._until: OrderedDict[Hashable, float] = OrderedDict()
        self._lock = Lock()

    def lets_through(self, key: Hashable = None) -> bool:
        """Whether this key's pause is over; if so the next one begins."""
        now = self._monotonic_s()
        with self._lock:
            if now < self._until.get(key, float("-inf")):
                return False
            self._until[key] = now + self._seconds
            self._until.move_to_end(key)
            while len(self._until) > MOST_KEYS:
                self._until.popitem(last=False)
        return True
