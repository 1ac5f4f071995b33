"""One connection's way out: header extension, running number and pace, shared by all its streams."""

from __future__ import annotations

import asyncio
import struct
from collections import deque
from collections.abc import Callable, Iterable

from agent.media.history import OutgoingPacket
from agent.media.rtp_packet import ONE_BYTE_PROFILE
from agent.media.transport_feedback import SentPacketLog

_PLAIN = struct.Struct("!BBHLL")
_WITH_RUNNING_NUMBER = struct.Struct("!BBHLLHHBHx")
_WITH_SEND_TIME = struct.Struct("!BBHLLHHB3s")
PACE_FACTOR = 2.5  # of the connection's estimate, as libwebrtc paces
BURST_BYTES = 15_000  # an ordinary frame at 2.5 Mbit/s is 10 kB and leaves at once
PACE_INTERVAL_S = 0.005
QUEUE_BYTES_MAX = 1_500_000  # several keyframes; beyond this a line is dead, not slow
MIN_PACE_BIT_RATE = 1_000_000

SendBytes = Callable[[bytes], bool]


class RtpLink:
    """Sends RTP on one connection. Sound and repeats leave at once, pictures through the pacer."""

    def __init__(
        self, send: SendBytes, *, paced: bool, loop: asyncio.AbstractEventLoop | None = None
    ) -> None:
        self._send = send
        self._loop = loop or asyncio.get_running_loop()
        self._transport_cc_head = 0
        self._send_time_head = 0
        self.sent_log = SentPacketLog()
        self.bytes_sent = 0
        self.packets_sent = 0
        self._paced = paced
        self._queue: deque[OutgoingPacket] = deque()
        self._queued_bytes = 0
        self._budget = float(BURST_BYTES)
        self._budget_at = self._loop.time()
        self._rate_bytes_per_s = MIN_PACE_BIT_RATE * PACE_FACTOR / 8
        self._timer: asyncio.TimerHandle | None = None

    def use_extensions(self, transport_cc_id: int, absolute_send_time_id: int) -> None:
        """Negotiated identifiers, 0 for none; the running number wins, since it says all the other does."""
        self._transport_cc_head = transport_cc_id << 4 | 1 if 0 < transport_cc_id < 15 else 0
        self._send_time_head = absolute_send_time_id << 4 | 2 if 0 < absolute_send_time_id < 15 else 0

    def set_bit_rate(self, bit_rate: int) -> None:
        """The connection's estimate in bit/s; pictures leave at most at PACE_FACTOR times this."""
        self._rate_bytes_per_s = max(bit_rate, MIN_PACE_BIT_RATE) * PACE_FACTOR / 8

    def send_now(self, packet: OutgoingPacket) -> None:
        """Send without waiting, but count it, so that pictures wait for it."""
        kind, sequence, timestamp, ssrc, payload = packet
        now = self._loop.time()
        if self._transport_cc_head:
            number = self.sent_log.add(len(payload) + 20, now)
            head = _WITH_RUNNING_NUMBER.pack(
                0x90, kind, sequence, timestamp, ssrc, ONE_BYTE_PROFILE, 1, self._transport_cc_head, number
            )
        elif self._send_time_head:
            fixed_18 = int(now * (1 << 18)) & 0xFFFFFF
            head = _WITH_SEND_TIME.pack(
                0x90, kind, sequence, timestamp, ssrc, ONE_BYTE_PROFILE, 1, self._send_time_head,
                fixed_18.to_bytes(3, "big"),
            )  # fmt: skip
        else:
            head = _PLAIN.pack(0x80, kind, sequence, timestamp, ssrc)
        size = len(payload) + 20
        self._budget -= size
        if self._send(head + payload):
            self.packets_sent += 1
            self.bytes_sent += size

    def send_paced(self, packets: Iterable[OutgoingPacket]) -> None:
        """Send pictures' packets: at once while the burst allowance lasts, the rest evenly."""
        if not self._paced:
            for packet in packets:
                self.send_now(packet)
            return
        if self._queued_bytes > QUEUE_BYTES_MAX:
            return
        for packet in packets:
            self._queue.append(packet)
            self._queued_bytes += len(packet.payload)
        if self._timer is None:
            self._drain()

    def _drain(self) -> None:
        self._timer = None
        now = self._loop.time()
        self._budget = min(BURST_BYTES, self._budget + (now - self._budget_at) * self._rate_bytes_per_s)
        self._budget_at = now
        queue = self._queue
        while queue and self._budget > 0:
            packet = queue.popleft()
            self._queued_bytes -= len(packet.payload)
            self.send_now(packet)
        if queue:
            self._timer = self._loop.call_later(PACE_INTERVAL_S, self._drain)

    def close(self) -> None:
        """Forget what waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._queue.clear()
        self._queued_bytes = 0
