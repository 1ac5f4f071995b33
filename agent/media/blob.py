"""A larger thing over a data channel, in pieces, at a pace that leaves the line to picture and sound."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from aiortc import RTCDataChannel

PIECE_BYTES = 16 * 1024
BUFFERED_BYTES_MAX = (
    64 * 1024
)  # more than that waits with us and not in the channel: other messages go between
LOOK_S = 0.02
TIMEOUT_S = 180.0
MIN_BIT_RATE, MAX_BIT_RATE = 250_000, 12_000_000
START_SHARE = 0.5  # of what the line is known to carry, beside the media on it
GROWTH_PER_S = 1.5
FALL = 0.6
FALL_EVERY_S = 0.5
FALLEN = 0.95  # of the line's best estimate since we began: below, it is us who are too much


class BlobPace:
    """How fast: more as long as the media beside it does not suffer. Pure: times come in."""

    def __init__(self, line_bit_rate: int, now: float) -> None:
        self.bit_rate = _bounded(START_SHARE * line_bit_rate)
        self._best = line_bit_rate
        self._at = self._fell_at = now

    def update(self, line_bit_rate: int, is_full: bool, now: float) -> None:
        """The line's estimate for media, and whether that is at its limit."""
        elapsed = max(0.0, now - self._at)
        self._at = now
        if is_full or line_bit_rate < FALLEN * self._best:
            if now - self._fell_at >= FALL_EVERY_S:
                self._fell_at, self._best = now, line_bit_rate
                self.bit_rate = _bounded(FALL * self.bit_rate)
            return
        self._best = max(self._best, line_bit_rate)
        self.bit_rate = _bounded(self.bit_rate * GROWTH_PER_S**elapsed)


def _bounded(bit_rate: float) -> float:
    return min(MAX_BIT_RATE, max(MIN_BIT_RATE, bit_rate))


async def send_blob(channel: RTCDataChannel, data: bytes, line: Callable[[], tuple[int, bool]]) -> bool:
    """Send all of it; False if the channel closed, or it took longer than TIMEOUT_S.

    line: what media has on this connection, bit/s, and whether it is at its limit.
    """
    began = time.monotonic()
    pace = BlobPace(line()[0], began)
    due = began
    for start in range(0, len(data), PIECE_BYTES):
        piece = data[start : start + PIECE_BYTES]
        while channel.bufferedAmount > BUFFERED_BYTES_MAX or due > time.monotonic():
            if channel.readyState != "open" or time.monotonic() - began > TIMEOUT_S:
                return False
            await asyncio.sleep(LOOK_S)
        if channel.readyState != "open":
            return False
        channel.send(piece)
        now = time.monotonic()
        pace.update(*line(), now)
        due = max(due, now - LOOK_S) + len(piece) * 8 / pace.bit_rate
    return True
