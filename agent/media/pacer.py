"""Lets pictures out evenly: a keyframe is no burst, repeats go first, and what is too old is thrown away."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable

from agent.media.history import OutgoingPacket

PACE_FACTOR = 2.5  # of the connection's estimate, as libwebrtc paces
# On a line whose rate is known pictures leave hardly faster than it carries them: they arrive as soon, but wait
# here and not in the router, where sound would wait behind them.
TIGHT_PACE_FACTOR = 1.1
BURST_S = 0.04  # of the pace may leave at once, so that ordinary frames go whole,
BURST_BYTES_MIN, BURST_BYTES_MAX = 2_400, 15_000  # within these
PACE_INTERVAL_S = 0.005
QUEUE_MAX_S = 1.0  # older pictures are of no use: better a keyframe
REPEATS_MAX_S = 0.4  # of the estimate: when so much is missing, a keyframe is cheaper, and sooner there
PACKETS_MAX = 2_000
OVERHEAD_BYTES = 20  # RTP header and extension

SendPacket = Callable[[OutgoingPacket], None]


class Pacer:
    """A queue of pictures' packets, and one of repeats that goes before it.

    may_send: asked before each packet of a picture; it says no while too much is on its way.
    on_dropped: called when waiting pictures were thrown away, and a keyframe is needed.
    """

    def __init__(
        self,
        send: SendPacket,
        loop: asyncio.AbstractEventLoop,
        may_send: Callable[[], bool] = lambda: True,
        on_dropped: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._send, self._loop = send, loop
        self.may_send, self.on_dropped = may_send, on_dropped
        self._pictures: deque[tuple[float, OutgoingPacket]] = deque()
        self._repeats: deque[OutgoingPacket] = deque()
        self._repeat_bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        self._rate_bytes_per_s = 0.0
        self._burst = self._repeats_max = 0.0
        self.set_bit_rate(1_500_000)
        self._budget = self._burst
        self._budget_at = loop.time()

    def set_bit_rate(self, bit_rate: int, *, is_full: bool = False) -> None:
        """The connection's estimate, bit/s, and whether that is all that its line carries."""
        factor = TIGHT_PACE_FACTOR if is_full else PACE_FACTOR
        self._rate_bytes_per_s = bit_rate * factor / 8
        self._repeats_max = max(BURST_BYTES_MIN, bit_rate / 8 * REPEATS_MAX_S)
        most = BURST_BYTES_MIN if is_full else BURST_BYTES_MAX
        self._burst = min(most, max(BURST_BYTES_MIN, self._rate_bytes_per_s * BURST_S))

    @property
    def queue_s(self) -> float:
        """For how long the oldest picture has waited, seconds."""
        return self._loop.time() - self._pictures[0][0] if self._pictures else 0.0

    def spend(self, octets: int) -> None:
        """Something left past the queues; pictures wait for it."""
        self._budget -= octets

    def add(self, packets: Iterable[OutgoingPacket]) -> None:
        """Queue a picture."""
        now = self._loop.time()
        if self.queue_s > QUEUE_MAX_S or len(self._pictures) > PACKETS_MAX:
            self.drop()
        self._pictures.extend((now, packet) for packet in packets)
        self._go_on()

    def add_repeat(self, packet: OutgoingPacket) -> None:
        """Queue a repeat, before all pictures."""
        self._repeat_bytes += len(packet.payload)
        if self._repeat_bytes > self._repeats_max:
            self.drop()
            return
        self._repeats.append(packet)
        self._go_on()

    def drop(self) -> None:
        """Throw away what waits."""
        self._forget()
        self.on_dropped(self._loop.time())

    def _go_on(self) -> None:
        if self._timer is None:
            self._drain()

    def _drain(self) -> None:
        self._timer = None
        now = self._loop.time()
        earned = (now - self._budget_at) * self._rate_bytes_per_s
        self._budget = min(self._burst, self._budget + earned)
        self._budget_at = now
        while self._repeats and self._budget > 0 and self.may_send():
            packet = self._repeats.popleft()
            self._repeat_bytes -= len(packet.payload)
            self._send(packet)
        while self._pictures and self._budget > 0 and self.may_send():
            self._send(self._pictures.popleft()[1])
        if self._pictures or self._repeats:
            self._timer = self._loop.call_later(PACE_INTERVAL_S, self._drain)

    def close(self) -> None:
        """Forget what waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._forget()

    def _forget(self) -> None:
        self._pictures.clear()
        self._repeats.clear()
        self._repeat_bytes = 0
