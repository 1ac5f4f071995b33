"""All RTP and RTCP of one connection: streams out, streams in, feedback both ways. No I/O of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from agent.media import rtcp
from agent.media.congestion import CongestionController
from agent.media.feedback import Feedback
from agent.media.negotiation import (
    ABSOLUTE_SEND_TIME,
    PLAYOUT_DELAY,
    TRANSPORT_CC,
    MediaKind,
    MediaSection,
)
from agent.media.ntp import ntp_from_monotonic, seconds_from_ntp
from agent.media.rtp_link import RtpLink, SendBytes
from agent.media.rtp_packet import RtpPacket, parse_rtp
from agent.media.rtp_receiver import IncomingStream
from agent.media.rtp_stream import KEYFRAME_REQUEST_INTERVAL_S, RtpStream, StreamParameters
from agent.media.sending import Sending
from agent.media.source import AUDIO_CLOCK_RATE_HZ, VIDEO_CLOCK_RATE_HZ, Codec

CLOCK_RATES: Mapping[MediaKind, int] = {"audio": AUDIO_CLOCK_RATE_HZ, "video": VIDEO_CLOCK_RATE_HZ}
REPORT_INTERVAL_S = 1.0
MAX_INCOMING_STREAMS = 8  # one picture and one sound are negotiated; a browser may renumber them now and then
CLOCK_STEP_S = 0.5  # a sender whose clock moved by more has stepped it
_DEFAULT_ROUND_TRIP_S = 0.1


class RtpListener(Protocol):
    """Who is told what comes in. Called on the event loop, for every packet: be quick."""

    def on_media(self, kind: MediaKind, codec: Codec, packet: RtpPacket, now: float) -> None:
        """A new packet, RTX unwrapped, duplicates removed; a recovered one comes out of order."""

    def on_sender_report(
        self, kind: MediaKind, ssrc: int, rtp_timestamp: int, ntp_on_our_clock_s: float
    ) -> None:
        """The sender's clock mapping, moved to our clock."""


class _Format(NamedTuple):
    kind: MediaKind
    codec: Codec
    media_type: int | None  # for RTX, the payload type that it repeats


@dataclass(slots=True)
class Received:
    """Totals of what came in on a connection, by kind."""

    packets: int = 0
    octets: int = 0
    packets_lost: int = 0
    recovered: int = 0
    jitter_s: float = 0.0  # of the stream that came last


class RtpSession:
    """Times are seconds of the event loop's clock, which is time.monotonic()."""

    def __init__(
        self,
        send_rtp: SendBytes,
        send_rtcp: SendBytes,
        listener: RtpListener,
        *,
        cname: str,
        controller: CongestionController | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self.link = RtpLink(send_rtp, paced=controller is not None, loop=loop)
        self.streams: dict[MediaKind, RtpStream] = {}
        self.heard_at: float | None = None
        self._loop = loop or asyncio.get_running_loop()
        self.sending = Sending(controller, self.link, self._loop) if controller is not None else None
        self._send_rtcp = send_rtcp
        self._listener = listener
        self._cname = cname
        self._by_ssrc: dict[int, RtpStream] = {}
        self._formats: dict[int, _Format] = {}
        self._rtx_ssrcs: dict[int, int] = {}
        self._incoming: dict[int, IncomingStream] = {}
        self._kinds: dict[int, MediaKind] = {}
        self._latest: dict[MediaKind, int] = {}
        self._feedback = Feedback()
        self._report_at = 0.0
        self._clock_offset: float | None = None
        self._keyframe_wanted = False
        self._keyframe_asked_at = -KEYFRAME_REQUEST_INTERVAL_S
        self._own_ssrc = 1
        self._empty_report = rtcp.build_receiver_report(1)

    def send_on(
        self,
        section: MediaSection,
        ssrcs: tuple[int, int],
        on_keyframe_request: Callable[[], None] = lambda: None,
    ) -> RtpStream:
        """Make the stream out for a section that the other side wants to receive."""
        parameters = StreamParameters(
            *ssrcs, CLOCK_RATES[section.kind], section.payload_types, section.rtx_payload_types
        )
        stream = RtpStream(self.link, parameters, on_keyframe_request)
        if not self.streams:
            self._own_ssrc = ssrcs[0]
            self._empty_report = rtcp.build_receiver_report(ssrcs[0])
        self.streams[section.kind] = stream
        if section.kind == "video" and self.link.pacer is not None:
            self.link.pacer.on_dropped = stream.start_anew
        self._by_ssrc[ssrcs[0]] = stream
        self.link.use_playout_delay(ssrcs[0], section.extensions.get(PLAYOUT_DELAY, 0))
        self.link.use_extensions(
            section.extensions.get(TRANSPORT_CC, 0), section.extensions.get(ABSOLUTE_SEND_TIME, 0)
        )
        return stream

    def receive_on(self, offered: Sequence[MediaSection], answered: Sequence[MediaSection]) -> None:
        """Learn what may come: payload types are those of our offer (RFC 3264 section 5.1) or the answer."""
        for section in (*answered, *offered):
            for codec, number in section.payload_types.items():
                self._formats[number] = _Format(section.kind, codec, None)
                if number in section.rtx_payload_types:
                    repeat = section.rtx_payload_types[number]
                    self._formats[repeat] = _Format(section.kind, codec, number)
        for section in answered:
            self._rtx_ssrcs.update(section.rtx_ssrcs)
        names = {name: number for section in answered for name, number in section.extensions.items()}
        self._feedback.use(names.get(TRANSPORT_CC, 0), names.get(ABSOLUTE_SEND_TIME, 0))

    def on_rtp(self, data: bytes, arrived_at: float) -> None:
        """A decrypted packet came; a broken or unknown one is dropped."""
        now = self._loop.time()
        try:
            packet = parse_rtp(data)
        except ValueError:
            return
        self.heard_at = now
        self._feedback.add(packet, arrived_at)
        known = self._formats.get(packet.payload_type)
        if known is None:
            return
        kind, codec, media_type = known
        if media_type is not None:
            if len(packet.payload) < 3 or not self._unwrap_rtx(packet, kind, media_type):
                return  # padding that probes the line, or of a stream we have not seen
        elif kind not in self._latest or self._latest[kind] != packet.ssrc:
            self._latest[kind] = packet.ssrc
        stream = self._incoming.get(packet.ssrc) or self._new_incoming(packet.ssrc, kind)
        if stream is None:
            return
        lost = stream.receive(packet, now, arrived_at, repeated=media_type is not None)
        if lost is None:
            return
        if lost:
            self._ask_again(stream, lost)
        self._listener.on_media(kind, codec, packet, now)

    def _unwrap_rtx(self, packet: RtpPacket, kind: MediaKind, media_type: int) -> bool:
        """RFC 4588 section 4: the original sequence number leads the payload."""
        original = self._rtx_ssrcs.get(packet.ssrc, self._latest.get(kind))
        if original is None:
            return False
        payload = packet.payload
        packet.ssrc = original
        packet.payload_type = media_type
        packet.sequence_number = payload[0] << 8 | payload[1]
        packet.payload = payload[2:]
        return True

    def _new_incoming(self, ssrc: int, kind: MediaKind) -> IncomingStream | None:
        if len(self._incoming) >= MAX_INCOMING_STREAMS:
            return None
        self._kinds[ssrc] = kind
        stream = self._incoming[ssrc] = IncomingStream(ssrc, CLOCK_RATES[kind], repairable=kind == "video")
        return stream

    def _ask_again(self, stream: IncomingStream, lost: Sequence[int]) -> None:
        numbers = [sequence & 0xFFFF for sequence in lost]
        self._send_rtcp(self._empty_report + rtcp.build_nack(self._own_ssrc, stream.ssrc, numbers))
        if stream.nack is not None and stream.nack.overflowed:
            stream.nack.overflowed = False
            self.request_keyframe()

    def request_keyframe(self) -> None:
        """Ask the remote sender for a keyframe: now, or when half a second has passed since the last time."""
        self._keyframe_wanted = True
        self._ask_keyframe(self._loop.time())

    def _ask_keyframe(self, now: float) -> None:
        ssrc = self._latest.get("video")
        if ssrc is not None and now - self._keyframe_asked_at >= KEYFRAME_REQUEST_INTERVAL_S:
            self._keyframe_wanted = False
            self._keyframe_asked_at = now
            self._send_rtcp(self._empty_report + rtcp.build_keyframe_request(self._own_ssrc, ssrc))

    def on_rtcp(self, data: bytes) -> None:
        """A decrypted compound packet came; a malformed one is dropped."""
        now = self._loop.time()
        try:
            packets = rtcp.parse_compound(data)
        except ValueError:
            return
        self.heard_at = now
        for packet in packets:
            self._on_rtcp_packet(packet, now)

    def _on_rtcp_packet(self, packet: rtcp.RtcpPacket, now: float) -> None:
        match packet:
            case rtcp.TransportFeedbackBody(body):
                if self.sending is not None:
                    self.sending.on_transport_feedback(body, now)
            case rtcp.Nack(ssrc, lost):
                if ssrc in self._by_ssrc:
                    self._by_ssrc[ssrc].on_nack(lost, now)
            case rtcp.KeyframeRequest(ssrc):
                if ssrc in self._by_ssrc:
                    self._by_ssrc[ssrc].request_keyframe(now)
            case rtcp.SenderReport():
                self._on_sender_report(packet, now)
                self._on_blocks(packet.reports, now)
            case rtcp.ReceiverReport(_, reports):
                self._on_blocks(reports, now)
            case rtcp.MaximumBitrate(bit_rate, _):
                if self.sending is not None:
                    self.sending.controller.on_remb(bit_rate)
            case _:
                pass

    def _on_blocks(self, blocks: Sequence[rtcp.ReportBlock], now: float) -> None:
        for block in blocks:
            stream = self._by_ssrc.get(block.ssrc)
            if stream is None:
                continue
            stream.on_report(block, now)
            if self.sending is not None and stream is self.streams.get("video"):
                self.sending.on_loss(block.fraction_lost / 256, now)

    def _on_sender_report(self, report: rtcp.SenderReport, now: float) -> None:
        stream = self._incoming.get(report.ssrc)
        if stream is None:
            return
        stream.on_sender_report(report, now)
        theirs = seconds_from_ntp(report.ntp)
        offset = seconds_from_ntp(ntp_from_monotonic(now)) - theirs
        # One offset for picture and sound, or their lip sync would be lost in the jitter of two reports.
        if self._clock_offset is None or abs(offset - self._clock_offset) > CLOCK_STEP_S:
            self._clock_offset = offset
        self._listener.on_sender_report(
            self._kinds[report.ssrc], report.ssrc, report.rtp_timestamp, theirs + self._clock_offset
        )

    def tick(self, now: float) -> None:
        """What is due by the clock; call it every 20 to 30 ms."""
        if self.sending is not None:
            self.sending.tick(tuple(self.streams.values()), now)
        for stream in self._incoming.values():
            if stream.nack is not None and stream.nack.waiting:
                again = stream.nack.due(now, self.round_trip_s or _DEFAULT_ROUND_TRIP_S)
                if again:
                    self._ask_again(stream, again)
        if self._keyframe_wanted:
            self._ask_keyframe(now)
        self._send_feedback(now)
        if now - self._report_at >= REPORT_INTERVAL_S:
            self._report_at = now
            self.send_reports(now)

    def _send_feedback(self, now: float) -> None:
        media_ssrc = self._latest.get("video") or self._latest.get("audio") or 0
        body = self._feedback.due_report(now, self.sending.controller.bit_rate if self.sending else None)
        if body is not None:
            self._send_rtcp(
                self._empty_report + rtcp.build_transport_feedback(self._own_ssrc, media_ssrc, body)
            )
        estimate = self._feedback.due_estimate(now)
        if estimate is not None:
            ssrcs = tuple(self._latest.values())
            self._send_rtcp(self._empty_report + rtcp.build_maximum_bitrate(self._own_ssrc, estimate, ssrcs))

    def send_reports(self, now: float) -> None:
        """One compound packet with every report that there is to give (RFC 3550 section 6.1)."""
        blocks = tuple(stream.report(now) for stream in self._incoming.values())
        sender_reports = [
            report for stream in self.streams.values() if (report := stream.sender_report(now)) is not None
        ]
        if not blocks and not sender_reports:
            return
        parts = [rtcp.build_receiver_report(self._own_ssrc, blocks)] if blocks or not sender_reports else []
        for report in sender_reports:
            parts.append(rtcp.build_sender_report(report))
            parts.append(rtcp.build_source_description(report.ssrc, self._cname))
        self._send_rtcp(b"".join(parts))

    @property
    def round_trip_s(self) -> float | None:
        """The shortest of our streams' round trips, if one has been measured."""
        measured = [s.round_trip_s for s in self.streams.values() if s.round_trip_s is not None]
        return min(measured, default=None)

    def received(self, kind: MediaKind) -> Received:
        """Totals of this kind so far."""
        total = Received()
        for ssrc, stream in self._incoming.items():
            if self._kinds[ssrc] == kind:
                total.packets += stream.packets
                total.octets += stream.octets
                total.packets_lost += max(0, stream.packets_lost)
                total.recovered += stream.recovered
                total.jitter_s = stream.jitter_s
        return total

    def close(self) -> None:
        """Say goodbye (RFC 3550 section 6.6) and forget what waits to be sent."""
        if self.streams:
            ssrcs = [stream.parameters.ssrc for stream in self.streams.values()]
            self._send_rtcp(self._empty_report + rtcp.build_goodbye(ssrcs))
        self.link.close()
