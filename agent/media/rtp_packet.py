"""RTP packets: read, and the arithmetic of their sequence numbers (RFC 3550 section 5, RFC 8285)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

HEADER_BYTES = 12
ONE_BYTE_PROFILE = 0xBEDE
TWO_BYTE_PROFILE = 0x1000
TWO_BYTE_PROFILE_MASK = 0xFFF0
_HEADER = struct.Struct("!BBHLL")
_EXTENSION = struct.Struct("!HH")
_SEQUENCE_HALF = 1 << 15


@dataclass(slots=True)
class RtpPacket:
    """One RTP packet as it came in; `extension` is the body of its header extension, empty if it had none."""

    marker: int
    payload_type: int
    sequence_number: int
    timestamp: int
    ssrc: int
    payload: bytes
    extension_profile: int = 0
    extension: bytes = b""


def parse_rtp(data: bytes) -> RtpPacket:
    """Read a packet (RFC 3550 section 5.1); ValueError if it is truncated or not version 2."""
    size = len(data)
    if size < HEADER_BYTES:
        raise ValueError("RTP packet is shorter than its header")
    first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(data)
    if first >> 6 != 2:
        raise ValueError("RTP packet is not version 2")
    start = HEADER_BYTES + 4 * (first & 0x0F)
    end = size
    profile, extension = 0, b""
    if first & 0x10:
        if size < start + 4:
            raise ValueError("RTP header extension is truncated")
        profile, words = _EXTENSION.unpack_from(data, start)
        body = start + 4
        start = body + 4 * words
        extension = data[body:start]
    if first & 0x20:
        if not data[-1]:
            raise ValueError("RTP padding is malformed")
        end -= data[-1]
    if start > end:
        raise ValueError("RTP packet is truncated")
    return RtpPacket(
        second >> 7, second & 0x7F, sequence, timestamp, ssrc, data[start:end], profile, extension
    )


def extension_value(packet: RtpPacket, identifier: int) -> bytes | None:
    """The value of one header extension element, or None (RFC 8285 sections 4.2 and 4.3)."""
    body = packet.extension
    if not body or not identifier:
        return None
    one_byte = packet.extension_profile == ONE_BYTE_PROFILE
    if not one_byte and packet.extension_profile & TWO_BYTE_PROFILE_MASK != TWO_BYTE_PROFILE:
        return None
    position, end = 0, len(body)
    while position < end:
        head = body[position]
        if not head:
            position += 1
            continue
        if one_byte:
            found, length, position = head >> 4, (head & 0x0F) + 1, position + 1
            if found == 15:
                return None
        else:
            if position + 1 >= end:
                return None
            found, length, position = head, body[position + 1], position + 2
        if found == identifier:
            value = body[position : position + length]
            return value if len(value) == length else None
        position += length
    return None


class SequenceUnwrapper:
    """Turns 16-bit sequence numbers into numbers that grow for ever, each beside the highest seen."""

    __slots__ = ("_highest",)

    def __init__(self) -> None:
        self._highest: int | None = None

    def unwrap(self, sequence: int) -> int:
        highest = self._highest
        if highest is None:
            self._highest = sequence
            return sequence
        step = (sequence - highest) & 0xFFFF
        if step < _SEQUENCE_HALF:
            self._highest = highest + step
            return highest + step
        return highest + step - 0x10000
