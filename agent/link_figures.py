"""How the broker's connection has been: connects, and the last round trip of an acknowledged message."""

from __future__ import annotations

import time
from collections.abc import Callable

UNANSWERED_AT_MOST = 64


class LinkFigures:
    """Written on the link's threads and whichever publishes; read anywhere. Each value stands for itself."""

    def __init__(self, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._monotonic_s = monotonic_s
        self._sent: dict[int, float] = {}
        self.connects = 0
        self.rtt_ms: float | None = None
        """From a publication to its PUBACK (MQTT 5, section 3.4), which the broker's disk has part in."""

    def connected(self) -> None:
        """The broker has accepted us; what was under way before tells nothing of this connection."""
        self._sent.clear()
        self.connects += 1

    def published(self, mid: int) -> None:
        """A message went out under this packet identifier."""
        self._sent[mid] = self._monotonic_s()
        while len(self._sent) > UNANSWERED_AT_MOST:
            # One whose answer came sooner than this was told; or the broker is far behind.
            self._sent.pop(next(iter(self._sent)), None)

    def acknowledged(self, mid: int) -> None:
        """The broker has it."""
        sent_at = self._sent.pop(mid, None)
        if sent_at is not None:
            self.rtt_ms = round((self._monotonic_s() - sent_at) * 1000, 1)
