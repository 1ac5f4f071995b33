"""MQTT 5 packets, as far as a played unit needs them (OASIS MQTT 5.0, section numbers at each).

A library with a select() of its own carries less than a thousand connections in a process, and costs the bench
more processor than the broker that it is to measure.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

CONNACK, PUBLISH, PUBACK, SUBACK, PINGRESP, DISCONNECT = 2, 3, 4, 9, 13, 14
PING = b"\xc0\x00"
BYE = b"\xe0\x00"
_WILL_QOS1_RETAIN = 0x04 | 0x08 | 0x20
_SESSION_EXPIRY, _MAXIMUM_PACKET_SIZE, _MESSAGE_EXPIRY = 0x11, 0x27, 0x02


@dataclass(frozen=True, slots=True)
class Packet:
    """What came: the kind, its flags, and what follows the fixed header (2.1)."""

    kind: int
    flags: int
    body: bytes


def connect(
    client_id: str, keepalive_s: int, session_expiry_s: int, max_packet: int, will: tuple[str, bytes]
) -> bytes:
    """CONNECT (3.1) that takes up the broker's session, with a retained Last Will."""
    properties = struct.pack(">BIBI", _SESSION_EXPIRY, session_expiry_s, _MAXIMUM_PACKET_SIZE, max_packet)
    head = _text("MQTT") + struct.pack(">BBH", 5, _WILL_QOS1_RETAIN, keepalive_s)
    topic, payload = will
    who = _text(client_id) + b"\x00" + _text(topic) + struct.pack(">H", len(payload)) + payload
    return _packet(0x10, head + _varint(len(properties)) + properties + who)


def subscribe(packet_id: int, topic_filter: str) -> bytes:
    """SUBSCRIBE (3.8) with QoS 1; what is retained is sent each time."""
    return _packet(0x82, struct.pack(">HB", packet_id, 0) + _text(topic_filter) + b"\x01")


def publish(
    topic: str, payload: bytes, packet_id: int, *, retain: bool = False, expiry_s: int | None = None
) -> bytes:
    """PUBLISH (3.3) with QoS 1."""
    properties = b"" if expiry_s is None else struct.pack(">BI", _MESSAGE_EXPIRY, expiry_s)
    head = _text(topic) + struct.pack(">HB", packet_id, len(properties)) + properties
    return _packet(0x30 | 0x02 | (1 if retain else 0), head + payload)


def puback(packet_id: int) -> bytes:
    """PUBACK (3.4): success."""
    return struct.pack(">BBH", 0x40, 2, packet_id)


def published(packet: Packet) -> tuple[str, bytes, int | None]:
    """Topic, payload and packet id of a PUBLISH; without an id for QoS 0."""
    body = packet.body
    length = struct.unpack_from(">H", body)[0]
    at = 2 + length
    packet_id = None
    if packet.flags & 0x06:
        packet_id = struct.unpack_from(">H", body, at)[0]
        at += 2
    size, at = _read_varint(body, at) or (0, at)
    return body[2 : 2 + length].decode(), bytes(body[at + size :]), packet_id


def refusal(packet: Packet) -> int:
    """A CONNACK's reason code (3.2.2.2); 0 is success."""
    return packet.body[1]


def take(buffer: bytearray) -> Iterator[Packet]:
    """The whole packets at the beginning of a buffer, which are removed from it."""
    while len(buffer) >= 2:
        sized = _read_varint(buffer, 1)
        if sized is None:
            return
        size, start = sized
        if len(buffer) < start + size:
            return
        first, body = buffer[0], bytes(buffer[start : start + size])
        del buffer[: start + size]
        yield Packet(first >> 4, first & 0x0F, body)


def _packet(first: int, rest: bytes) -> bytes:
    return bytes((first,)) + _varint(len(rest)) + rest


def _text(text: str) -> bytes:
    raw = text.encode()
    return struct.pack(">H", len(raw)) + raw


def _varint(number: int) -> bytes:
    """A variable byte integer (1.5.5)."""
    out = bytearray()
    while True:
        number, digit = number >> 7, number & 0x7F
        out.append(digit | (0x80 if number else 0))
        if not number:
            return bytes(out)


def _read_varint(data: bytes | bytearray, at: int) -> tuple[int, int] | None:
    """The number and where it ends; None while it is not all there."""
    number, shift = 0, 0
    while at < len(data):
        digit = data[at]
        number |= (digit & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not digit & 0x80:
            return number, at
    return None
