"""One connection's way out: header extension, running number and pace, shared by all its streams."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable, Iterable

from agent.media.history import OutgoingPacket
from agent.media.pacer import OVERHEAD_BYTES, Pacer
from agent.media.rtp_packet import ONE_BYTE_PROFILE
from agent.media.transport_feedback import SentPacketLog

_PLAIN = struct.Struct("!BBHLL")
_WITH_RUNNING_NUMBER = struct.Struct("!BBHLLHHBHx")
_WITH_SEND_TIME = struct.Struct("!BBHLLHHB3s")
_WITH_ELEMENTS = struct.Struct("!BBHLLHH")
PLAYOUT_DELAY_STEP_MS = 10
PLAYOUT_DELAY_MAX = 1000  # in those steps: 10 s, which is the receiver's own
SendBytes = Callable[[bytes], bool]


class RtpLink:
    """Sends RTP on one connection: sound at once, repeats and pictures through the pacer, if there is one."""

    def __init__(
        self, send: SendBytes, *, paced: bool, loop: asyncio.AbstractEventLoop | None = None
    ) -> None:
        self._send = send
        self._loop = loop or asyncio.get_running_loop()
        self._transport_cc_head = 0
        self._send_time_head = 0
        self._closed = False
        self._playout_ids: dict[int, int] = {}
        self._playout: dict[int, bytes] = {}
        self.sent_log = SentPacketLog()
        self.bytes_sent = 0
        self.packets_sent = 0
        self.repeats_twice = False  # repeats are lost too, on a line that loses much and has room
        self.pacer = Pacer(self.send_now, self._loop) if paced else None

    def use_extensions(self, transport_cc_id: int, absolute_send_time_id: int) -> None:
        """Negotiated identifiers, 0 for none; the running number wins, since it says all the other does."""
        self._transport_cc_head = transport_cc_id << 4 | 1 if 0 < transport_cc_id < 15 else 0
        self._send_time_head = absolute_send_time_id << 4 | 2 if 0 < absolute_send_time_id < 15 else 0

    def use_playout_delay(self, ssrc: int, identifier: int) -> None:
        """The negotiated identifier for this stream's playout delay, 0 for none."""
        if 0 < identifier < 15:
            self._playout_ids[ssrc] = identifier

    def hold_back(self, ssrc: int, delay_ms: int) -> None:
        """Ask the receiver to show this stream's pictures no sooner than so long after they came.

        WebRTC's playout-delay extension: two times 12 bits, least and most, in steps of 10 ms. Once asked for,
        it is said in every packet, also that it is over, since the receiver keeps to what it heard last.
        """
        identifier = self._playout_ids.get(ssrc, 0)
        if identifier and (delay_ms or ssrc in self._playout):
            least = min(PLAYOUT_DELAY_MAX, delay_ms // PLAYOUT_DELAY_STEP_MS)
            value = (least << 12 | PLAYOUT_DELAY_MAX).to_bytes(3, "big")
            self._playout[ssrc] = bytes([identifier << 4 | 2]) + value

    @property
    def queue_s(self) -> float:
        """For how long the oldest picture has waited to be sent, seconds."""
        return self.pacer.queue_s if self.pacer is not None else 0.0

    def send_now(self, packet: OutgoingPacket) -> None:
        """Send without waiting, but count it, so that pictures wait for it."""
        kind, sequence, timestamp, ssrc, payload = packet
        now = self._loop.time()
        if ssrc in self._playout:
            head = self._with_playout_delay(packet, now)
        elif self._transport_cc_head:
            number = self.sent_log.add(len(payload) + OVERHEAD_BYTES, now)
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
        size = len(payload) + OVERHEAD_BYTES
        if self.pacer is not None:
            self.pacer.spend(size)
        if self._send(head + payload):
            self.packets_sent += 1
            self.bytes_sent += size

    def _with_playout_delay(self, packet: OutgoingPacket, now: float) -> bytes:
        kind, sequence, timestamp, ssrc, payload = packet
        elements = self._playout[ssrc]
        if self._transport_cc_head:
            number = self.sent_log.add(len(payload) + OVERHEAD_BYTES, now)
            elements = bytes([self._transport_cc_head]) + number.to_bytes(2, "big") + elements
        elif self._send_time_head:
            fixed_18 = int(now * (1 << 18)) & 0xFFFFFF
            elements = bytes([self._send_time_head]) + fixed_18.to_bytes(3, "big") + elements
        elements += bytes(-len(elements) % 4)
        words = len(elements) // 4
        head = _WITH_ELEMENTS.pack(0x90, kind, sequence, timestamp, ssrc, ONE_BYTE_PROFILE, words)
        return head + elements

    def send_paced(self, packets: Iterable[OutgoingPacket]) -> None:
        """Send a picture's packets, evenly."""
        if self.pacer is not None:
            self.pacer.add(packets)
            return
        for packet in packets:
            self.send_now(packet)

    def send_repeat(self, packet: OutgoingPacket) -> None:
        """Send a packet that was lost, before pictures that wait."""
        if self.pacer is not None:
            self.pacer.add_repeat(packet)
        else:
            self.send_now(packet)

    def later(self, delay_s: float, work: Callable[[], None]) -> None:
        """Do something after `delay_s` seconds, unless the connection is closed by then."""
        self._loop.call_later(delay_s, lambda: None if self._closed else work())

    def close(self) -> None:
        """Forget what waits."""
        self._closed = True
        if self.pacer is not None:
            self.pacer.close()
