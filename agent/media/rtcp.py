"""RTCP packets, built and read side by side (RFC 3550 section 6, RFC 4585, RFC 5104, REMB draft 03)."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SENDER_REPORT, RECEIVER_REPORT, SOURCE_DESCRIPTION, GOODBYE = 200, 201, 202, 203
TRANSPORT_FEEDBACK, PAYLOAD_FEEDBACK = 205, 206
FMT_NACK, FMT_TRANSPORT_CC = 1, 15
FMT_PLI, FMT_FIR, FMT_REMB = 1, 4, 15
_CNAME = 1
_HEAD = struct.Struct("!BBH")
_BLOCK = struct.Struct("!LLLLLL")
_SENDER = struct.Struct("!LQLLL")
_LOST_MAX = (1 << 23) - 1


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """RFC 3550 section 6.4.1: fraction_lost in 1/256, jitter in RTP ticks, the rest as on the wire."""

    ssrc: int
    fraction_lost: int
    packets_lost: int
    highest_sequence: int
    jitter: int
    last_sender_report: int
    delay_since_last_sender_report: int


@dataclass(frozen=True, slots=True)
class SenderReport:
    ssrc: int
    ntp: int
    rtp_timestamp: int
    packet_count: int
    octet_count: int
    reports: tuple[ReportBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class ReceiverReport:
    ssrc: int
    reports: tuple[ReportBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class Nack:
    """Sequence numbers that `media_ssrc` should send again (RFC 4585 section 6.2.1)."""

    media_ssrc: int
    lost: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class KeyframeRequest:
    """PLI (RFC 4585 section 6.3.1) or FIR (RFC 5104 section 4.3.1)."""

    media_ssrc: int


@dataclass(frozen=True, slots=True)
class MaximumBitrate:
    """REMB: the receiver's estimate in bit/s for these SSRCs."""

    bit_rate: int
    ssrcs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TransportFeedbackBody:
    """Transport-wide feedback, to be read by transport_feedback.parse_feedback."""

    body: bytes


@dataclass(frozen=True, slots=True)
class Goodbye:
    ssrcs: tuple[int, ...]


RtcpPacket = (
    SenderReport | ReceiverReport | Nack | KeyframeRequest | MaximumBitrate | TransportFeedbackBody | Goodbye
)


def parse_compound(data: bytes) -> list[RtcpPacket]:
    """Every packet we know of a compound one; others are skipped. ValueError if it is malformed."""
    packets: list[RtcpPacket] = []
    position = 0
    try:
        while position < len(data):
            first, kind, words = _HEAD.unpack_from(data, position)
            end = position + 4 + 4 * words
            if first >> 6 != 2 or end > len(data):
                raise ValueError("RTCP packet is malformed or truncated")
            body = data[position + 4 : end]
            if first & 0x20:
                body = body[: len(body) - body[-1]]
            packets += _parse_one(kind, first & 0x1F, body)
            position = end
    except (struct.error, IndexError) as error:
        raise ValueError("RTCP packet is truncated") from error
    return packets


def _parse_one(kind: int, count: int, body: bytes) -> Iterable[RtcpPacket]:
    if kind == SENDER_REPORT:
        ssrc, ntp, timestamp, packets, octets = _SENDER.unpack_from(body)
        return (SenderReport(ssrc, ntp, timestamp, packets, octets, _parse_blocks(body, 24, count)),)
    if kind == RECEIVER_REPORT:
        return (ReceiverReport(struct.unpack_from("!L", body)[0], _parse_blocks(body, 4, count)),)
    if kind == GOODBYE:
        return (Goodbye(struct.unpack_from(f"!{count}L", body)),)
    if kind == TRANSPORT_FEEDBACK:
        return _parse_transport_feedback(count, body)
    return _parse_payload_feedback(count, body) if kind == PAYLOAD_FEEDBACK else ()


def _parse_blocks(body: bytes, start: int, count: int) -> tuple[ReportBlock, ...]:
    blocks = []
    for position in range(start, start + 24 * count, 24):
        ssrc, loss, highest, jitter, lsr, dlsr = _BLOCK.unpack_from(body, position)
        lost = loss & 0xFFFFFF
        lost -= (lost & 0x800000) << 1
        blocks.append(ReportBlock(ssrc, loss >> 24, lost, highest, jitter, lsr, dlsr))
    return tuple(blocks)


def _parse_transport_feedback(fmt: int, body: bytes) -> Iterable[RtcpPacket]:
    if fmt == FMT_TRANSPORT_CC:
        return (TransportFeedbackBody(body),)
    if fmt != FMT_NACK:
        return ()
    lost: list[int] = []
    for position in range(8, len(body), 4):
        packet_id, mask = struct.unpack_from("!HH", body, position)
        lost.append(packet_id)
        lost += [(packet_id + bit + 1) & 0xFFFF for bit in range(16) if mask >> bit & 1]
    return (Nack(struct.unpack_from("!L", body, 4)[0], tuple(lost)),)


def _parse_payload_feedback(fmt: int, body: bytes) -> Iterable[RtcpPacket]:
    media_ssrc: int = struct.unpack_from("!L", body, 4)[0]
    if fmt == FMT_PLI:
        return (KeyframeRequest(media_ssrc),)
    if fmt == FMT_FIR:
        return tuple(
            KeyframeRequest(struct.unpack_from("!L", body, position)[0])
            for position in range(8, len(body), 8)
        )
    if fmt == FMT_REMB and body[8:12] == b"REMB":
        count, exponent_mantissa = body[12], int.from_bytes(body[13:16], "big")
        rate = (exponent_mantissa & 0x3FFFF) << (exponent_mantissa >> 18)
        return (MaximumBitrate(rate, struct.unpack_from(f"!{count}L", body, 16)),)
    return ()


def _packet(kind: int, count: int, body: bytes) -> bytes:
    return _HEAD.pack(0x80 | count, kind, len(body) // 4) + body


def _build_blocks(reports: Sequence[ReportBlock]) -> bytes:
    return b"".join(
        _BLOCK.pack(
            block.ssrc,
            block.fraction_lost << 24 | max(-_LOST_MAX, min(block.packets_lost, _LOST_MAX)) & 0xFFFFFF,
            block.highest_sequence & 0xFFFFFFFF,
            min(block.jitter, 0xFFFFFFFF),
            block.last_sender_report,
            min(block.delay_since_last_sender_report, 0xFFFFFFFF),
        )
        for block in reports
    )


def build_sender_report(report: SenderReport) -> bytes:
    """RFC 3550 section 6.4.1; the counts wrap."""
    head = _SENDER.pack(
        report.ssrc,
        report.ntp,
        report.rtp_timestamp,
        report.packet_count & 0xFFFFFFFF,
        report.octet_count & 0xFFFFFFFF,
    )
    return _packet(SENDER_REPORT, len(report.reports), head + _build_blocks(report.reports))


def build_receiver_report(ssrc: int, reports: Sequence[ReportBlock] = ()) -> bytes:
    """RFC 3550 section 6.4.2."""
    return _packet(RECEIVER_REPORT, len(reports), struct.pack("!L", ssrc) + _build_blocks(reports))


def build_source_description(ssrc: int, cname: str) -> bytes:
    """One chunk with the canonical name, which binds a sender's streams for lip sync (section 6.5)."""
    name = cname.encode()[:255]
    body = struct.pack("!LBB", ssrc, _CNAME, len(name)) + name
    return _packet(SOURCE_DESCRIPTION, 1, body + bytes(4 - len(body) % 4))


def build_goodbye(ssrcs: Sequence[int]) -> bytes:
    """RFC 3550 section 6.6."""
    return _packet(GOODBYE, len(ssrcs), struct.pack(f"!{len(ssrcs)}L", *ssrcs))


def build_nack(sender_ssrc: int, media_ssrc: int, lost: Sequence[int]) -> bytes:
    """Generic NACK; `lost` ascending, modulo 2**16 (RFC 4585 section 6.2.1)."""
    body = [struct.pack("!LL", sender_ssrc, media_ssrc)]
    position = 0
    while position < len(lost):
        packet_id, mask = lost[position], 0
        position += 1
        while position < len(lost) and 0 < (step := (lost[position] - packet_id) & 0xFFFF) <= 16:
            mask |= 1 << (step - 1)
            position += 1
        body.append(struct.pack("!HH", packet_id, mask))
    return _packet(TRANSPORT_FEEDBACK, FMT_NACK, b"".join(body))


def build_keyframe_request(sender_ssrc: int, media_ssrc: int) -> bytes:
    """Picture Loss Indication (RFC 4585 section 6.3.1)."""
    return _packet(PAYLOAD_FEEDBACK, FMT_PLI, struct.pack("!LL", sender_ssrc, media_ssrc))


def build_maximum_bitrate(sender_ssrc: int, bit_rate: int, ssrcs: Sequence[int]) -> bytes:
    """REMB (draft-alvestrand-rmcat-remb-03 section 2.2); the rate is rounded down to 18 bits of it."""
    exponent = max(0, bit_rate.bit_length() - 18)
    head = struct.pack("!LL", sender_ssrc, 0) + b"REMB" + bytes([len(ssrcs)])
    rate = (exponent << 18 | bit_rate >> exponent).to_bytes(3, "big")
    return _packet(PAYLOAD_FEEDBACK, FMT_REMB, head + rate + struct.pack(f"!{len(ssrcs)}L", *ssrcs))


def build_transport_feedback(sender_ssrc: int, media_ssrc: int, body: bytes) -> bytes:
    """Wraps what transport_feedback.ArrivalLog made; padded to whole words."""
    padded = struct.pack("!LL", sender_ssrc, media_ssrc) + body + bytes(-len(body) % 4)
    return _packet(TRANSPORT_FEEDBACK, FMT_TRANSPORT_CC, padded)
