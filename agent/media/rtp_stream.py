"""One RTP stream to one connection: what we encode, and what we forward without decoding."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from agent.media.allowance import Allowance
from agent.media.history import OutgoingPacket, PacketHistory
from agent.media.ntp import middle_32, monotonic_from_ntp_seconds, ntp_from_monotonic
from agent.media.packetizer import PacketizedFrame, starts_keyframe
from agent.media.rtcp import ReportBlock, SenderReport
from agent.media.rtp_link import RtpLink
from agent.media.rtp_packet import RtpPacket
from agent.media.source import Codec

KEYFRAME_REQUEST_INTERVAL_S = 0.5  # at most two a second reach an encoder
MIN_RESEND_INTERVAL_S = 0.02
SECOND_REPEAT_AFTER_S = 0.025  # a burst that took the first one is over by then
RESEND_SHARE = 0.5  # of the bytes sent may be repeated, so that a hostile NACK cannot multiply them
RESEND_ALLOWANCE_BYTES = 200_000
NACKED_PER_S, NACKED_BURST = 3000, 1500  # packets asked for; ten tries for each of a second of 2.5 Mbit/s
_DEFAULT_ROUND_TRIP_S = 0.1
_NEW_SOURCE_GAP_S = 0.1


@dataclass(frozen=True)
class StreamParameters:
    """What was negotiated for one stream: its SSRCs and the payload types by codec."""

    ssrc: int
    rtx_ssrc: int
    clock_rate: int
    payload_types: Mapping[Codec, int]
    rtx_payload_types: Mapping[int, int] = field(default_factory=dict)  # RTX type by the media's type


class RtpStream:
    """Sends media to one receiver and answers for it: repeats, sender reports, keyframe requests.

    on_keyframe_request is called when the receiver cannot go on without a keyframe, at most twice a second.
    """

    def __init__(
        self,
        link: RtpLink,
        parameters: StreamParameters,
        on_keyframe_request: Callable[[], None] = lambda: None,
    ) -> None:
        self.parameters = parameters
        self.round_trip_s: float | None = None
        self.fraction_lost = 0
        self.packets_lost = 0
        self.packets_resent = 0
        self.bytes_resent = 0
        self.packets_missed = 0  # asked for, but not here
        self.keyframe_requests = 0
        self._link = link
        self._on_keyframe_request = on_keyframe_request
        self._keyframe_requested_at = -KEYFRAME_REQUEST_INTERVAL_S
        self._history = PacketHistory()
        self._resend_allowance = float(RESEND_ALLOWANCE_BYTES)
        self._nacked = Allowance(NACKED_PER_S, NACKED_BURST)
        self._rtx_sequence = secrets.randbits(15)
        # Below 2**15, so that the first packets' wrap cannot be lost on SRTP's rollover counter.
        self._next_sequence = secrets.randbits(15)
        self._next_timestamp_base = secrets.randbits(32)
        self._packets = 0
        self._octets = 0
        self._clock: tuple[int, float] | None = None  # an RTP timestamp sent, and when that was captured
        self._awaits_keyframe = True
        self._source: int | None = None
        self._sequence_offset = 0
        self._timestamp_offset = 0
        self._first_sequence = 0
        self._last_arrival = 0.0

    def send_frame(self, frame: PacketizedFrame, codec: Codec, now: float) -> None:
        """Send what we encode. A picture stream starts with a keyframe, and asks for it."""
        if self._awaits_keyframe and codec != "opus":
            if not frame.keyframe:
                self.request_keyframe(now)
                return
            self._awaits_keyframe = False
        kind = self.parameters.payload_types[codec]
        timestamp = (frame.timestamp + self._next_timestamp_base) & 0xFFFFFFFF
        sequence, ssrc, last = self._next_sequence, self.parameters.ssrc, len(frame.payloads) - 1
        packets = [
            OutgoingPacket(
                kind | 0x80 if index == last and codec != "opus" else kind,
                (sequence + index) & 0xFFFF,
                timestamp,
                ssrc,
                payload,
            )
            for index, payload in enumerate(frame.payloads)
        ]
        self._next_sequence = (sequence + last + 1) & 0xFFFF
        self._clock = (timestamp, frame.captured_at)
        if codec == "opus":
            self._count(packets[0], now, keep=False)
            self._link.send_now(packets[0])
            return
        for packet in packets:
            self._count(packet, now, keep=True)
        self._link.send_paced(packets)

    def forward(self, packet: RtpPacket, codec: Codec, now: float) -> None:
        """Send on a remote party's packet: payload untouched, sequence and time kept.

        Packets may come in any order, recovered ones late. A new SSRC goes on where the last one ended.
        """
        if packet.ssrc != self._source:
            self._follow(packet, codec, now)
        sequence = (packet.sequence_number + self._sequence_offset) & 0xFFFF
        if (sequence - self._first_sequence) & 0xFFFF > 0x8000 and self._packets < 0x4000:
            return  # older than the first one of this source: its number may have been another's
        kind = self.parameters.payload_types.get(codec)
        if kind is None:
            return
        outgoing = OutgoingPacket(
            packet.marker << 7 | kind,
            sequence,
            (packet.timestamp + self._timestamp_offset) & 0xFFFFFFFF,
            self.parameters.ssrc,
            packet.payload,
        )
        if (sequence - self._next_sequence) & 0xFFFF < 0x8000:
            self._next_sequence = (sequence + 1) & 0xFFFF
            self._next_timestamp_base = outgoing.timestamp
        self._last_arrival = now
        self._count(outgoing, now, keep=codec != "opus")
        self._link.send_paced((outgoing,))

    def _follow(self, packet: RtpPacket, codec: Codec, now: float) -> None:
        start, timestamp = self._next_sequence, self._next_timestamp_base
        if self._source is not None:
            elapsed = max(_NEW_SOURCE_GAP_S, now - self._last_arrival)
            timestamp += int(elapsed * self.parameters.clock_rate)
            if not starts_keyframe(codec, packet.payload):
                start += 1  # a hole, so that the decoder does not join two encoders' pictures
        self._source = packet.ssrc
        self._sequence_offset = start - packet.sequence_number
        self._timestamp_offset = timestamp - packet.timestamp
        self._first_sequence = start & 0xFFFF
        self._packets = 0
        self._clock = None

    def translate_report(self, ssrc: int, rtp_timestamp: int, ntp_on_our_clock_s: float) -> None:
        """Learn from the forwarded sender's own report; keeps lip sync through us.

        ntp_on_our_clock_s: the report's NTP time in seconds, moved to our clock by one offset for all of
        that sender's streams.
        """
        if ssrc == self._source:
            captured_at = monotonic_from_ntp_seconds(ntp_on_our_clock_s)
            self._clock = ((rtp_timestamp + self._timestamp_offset) & 0xFFFFFFFF, captured_at)

    def sender_report(self, now: float) -> SenderReport | None:
        """The report for this instant (RFC 3550 section 6.4.1), or None before there is anything to say."""
        if self._clock is None or not self._packets:
            return None
        timestamp, captured_at = self._clock
        rtp_now = timestamp + round((now - captured_at) * self.parameters.clock_rate)
        return SenderReport(
            self.parameters.ssrc, ntp_from_monotonic(now), rtp_now & 0xFFFFFFFF, self._packets, self._octets
        )

    def on_report(self, block: ReportBlock, now: float) -> None:
        """A receiver's view of us: loss, and the round trip by our own clock (RFC 3550 section 6.4.1)."""
        self.fraction_lost = block.fraction_lost
        self.packets_lost = block.packets_lost
        if block.last_sender_report:
            elapsed = middle_32(ntp_from_monotonic(now)) - block.last_sender_report
            elapsed = (elapsed - block.delay_since_last_sender_report) & 0xFFFFFFFF
            if elapsed < 0x100000:  # 16 s: anything longer is nonsense or a wrap
                measured = elapsed / 65536
                old = self.round_trip_s
                self.round_trip_s = measured if old is None else old + (measured - old) / 4

    def on_nack(self, lost: Sequence[int], now: float) -> None:
        """Send again what is here, in an RTX packet if that was negotiated (RFC 4588 section 4)."""
        if not self._nacked.take(now, len(lost)):
            return
        wait = max(MIN_RESEND_INTERVAL_S, self.round_trip_s or _DEFAULT_ROUND_TRIP_S)
        for sequence in lost:
            packet = self._history.resend(sequence, now, wait)
            if packet is None:
                self.packets_missed += 1
                continue
            if self._resend_allowance < len(packet.payload):
                return
            self._resend_allowance -= len(packet.payload)
            self.packets_resent += 1
            self.bytes_resent += len(packet.payload)
            self._link.send_repeat(self._as_rtx(packet))
            if self._link.repeats_twice:
                self._link.later(SECOND_REPEAT_AFTER_S, partial(self._repeat, packet))

    def _repeat(self, packet: OutgoingPacket) -> None:
        """Once more without being asked: to wait for the receiver to ask costs a round trip, which is seen."""
        if self._resend_allowance >= len(packet.payload):
            self._resend_allowance -= len(packet.payload)
            self.bytes_resent += len(packet.payload)
            self._link.send_repeat(self._as_rtx(packet))

    def _as_rtx(self, packet: OutgoingPacket) -> OutgoingPacket:
        rtx_type = self.parameters.rtx_payload_types.get(packet.marker_and_type & 0x7F)
        if rtx_type is None:
            return packet
        self._rtx_sequence = (self._rtx_sequence + 1) & 0xFFFF
        return OutgoingPacket(
            packet.marker_and_type & 0x80 | rtx_type,
            self._rtx_sequence,
            packet.timestamp,
            self.parameters.rtx_ssrc,
            packet.sequence_number.to_bytes(2, "big") + packet.payload,
        )

    def hold_back(self, delay_ms: int) -> None:
        """Ask the receiver to show pictures no sooner than so long after they came; 0 for as soon as it can."""
        self._link.hold_back(self.parameters.ssrc, delay_ms)

    def request_keyframe(self, now: float) -> None:
        """Pass a request on, joined with those of the last half second."""
        self.keyframe_requests += 1
        if now - self._keyframe_requested_at >= KEYFRAME_REQUEST_INTERVAL_S:
            self._keyframe_requested_at = now
            self._on_keyframe_request()

    def start_anew(self, now: float) -> None:
        """Pictures that waited were thrown away: the next one to go out is a keyframe."""
        self._history.clear()
        self._awaits_keyframe = True
        self.request_keyframe(now)

    def _count(self, packet: OutgoingPacket, now: float, *, keep: bool) -> None:
        size = len(packet.payload)
        self._packets += 1
        self._octets += size
        if keep:
            self._history.add(packet, now)
            if self._resend_allowance < RESEND_ALLOWANCE_BYTES:
                self._resend_allowance += size * RESEND_SHARE


class FrameSender:
    """A frame listener bound to one stream."""

    __slots__ = ("_codec", "_loop", "_stream")

    def __init__(self, stream: RtpStream, codec: Codec, loop: asyncio.AbstractEventLoop) -> None:
        self._stream = stream
        self._codec = codec
        self._loop = loop

    def __call__(self, frame: PacketizedFrame) -> None:
        self._stream.send_frame(frame, self._codec, self._loop.time())
