"""Frames into RTP payloads, once for all parties (RFC 6184 H.264, RFC 7741 VP8, RFC 7587 Opus)."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from agent.media.source import Codec, EncodedFrame, EncodedSource, Unsubscribe

logger = logging.getLogger(__name__)

PAYLOAD_BYTES_MAX = 1180  # leaves room in 1280 bytes (IPv6's least) for IP, UDP, SRTP, RTX and extensions
_START_CODE = re.compile(rb"\x00\x00\x00?\x01")
_NAL_IDR, _NAL_AUD, _NAL_STAP_A, _NAL_FU_A = 5, 9, 24, 28
_NAL_SPS = 7


@dataclass(frozen=True, slots=True)
class PacketizedFrame:
    """A frame ready to be sent to anyone: its payloads in order; the last one carries the marker."""

    payloads: tuple[bytes, ...]
    timestamp: int
    captured_at: float
    keyframe: bool


FrameListener = Callable[[PacketizedFrame], None]


def packetize_h264(access_unit: bytes, payload_max: int = PAYLOAD_BYTES_MAX) -> tuple[bytes, ...]:
    """Packetization mode 1: small units together in STAP-A, large ones cut in FU-A (RFC 6184 section 5).

    access_unit: in Annex B form. Access unit delimiters are left out.
    """
    payloads: list[bytes] = []
    small: list[bytes] = []
    room = payload_max - 1
    for unit in _START_CODE.split(access_unit):
        unit = unit.rstrip(b"\x00") if unit.endswith(b"\x00") else unit  # noqa: PLW2901 - trailing_zero_8bits
        if not unit or unit[0] & 0x1F == _NAL_AUD:
            continue
        if len(unit) + 2 > room:
            payloads += _aggregate(small)
            small, room = [], payload_max - 1
            if len(unit) > payload_max:
                payloads += _fragment(unit, payload_max)
                continue
            if len(unit) + 2 > room:
                payloads.append(unit)
                continue
        small.append(unit)
        room -= len(unit) + 2
    return tuple(payloads + _aggregate(small))


def _aggregate(units: list[bytes]) -> list[bytes]:
    if len(units) < 2:
        return units
    importance = max(unit[0] & 0x60 for unit in units)
    return [bytes([importance | _NAL_STAP_A]) + b"".join(len(u).to_bytes(2, "big") + u for u in units)]


def _fragment(unit: bytes, payload_max: int) -> list[bytes]:
    # Parts of equal size, so that no tiny last packet costs a whole header.
    room = payload_max - 2
    count = -(-(len(unit) - 1) // room)
    step = -(-(len(unit) - 1) // count)
    indicator, kind = unit[0] & 0x60 | _NAL_FU_A, unit[0] & 0x1F
    parts = []
    for start in range(1, len(unit), step):
        end = start + step
        flags = (0x80 if start == 1 else 0) | (0x40 if end >= len(unit) else 0)
        parts.append(bytes([indicator, flags | kind]) + unit[start:end])
    return parts


def packetize_vp8(frame: bytes, picture_id: int, payload_max: int = PAYLOAD_BYTES_MAX) -> tuple[bytes, ...]:
    """One frame with a 15-bit picture id in each payload descriptor (RFC 7741 section 4.2)."""
    tail = b"\x80" + (0x8000 | picture_id & 0x7FFF).to_bytes(2, "big")
    room = payload_max - 4
    count = max(1, -(-len(frame) // room))
    step = max(1, -(-len(frame) // count))
    return tuple(
        bytes([0x90 if start == 0 else 0x80]) + tail + frame[start : start + step]
        for start in range(0, max(1, len(frame)), step)
    )


def starts_keyframe(codec: Codec, payload: bytes) -> bool:
    """Whether a keyframe begins in this payload: H.264 SPS or IDR, VP8 key frame's first packet."""
    if not payload:
        return False
    if codec == "VP8":
        return _vp8_starts_keyframe(payload)
    if codec != "H264":
        return True
    kind = payload[0] & 0x1F
    if kind == _NAL_STAP_A:
        kind = payload[3] & 0x1F if len(payload) > 3 else 0
    elif kind == _NAL_FU_A:
        kind = payload[1] & 0x1F if len(payload) > 1 and payload[1] & 0x80 else 0
    return kind in (_NAL_IDR, _NAL_SPS)


def _vp8_starts_keyframe(payload: bytes) -> bool:
    if payload[0] & 0x17 != 0x10:  # the first packet of the first partition
        return False
    position = 1
    if payload[0] & 0x80 and len(payload) > 1:
        flags = payload[1]
        position = 2
        if flags & 0x80 and len(payload) > 2:
            position += 2 if payload[2] & 0x80 else 1
        position += (1 if flags & 0x40 else 0) + (1 if flags & 0x30 else 0)
    return len(payload) > position and not payload[position] & 0x01


class SharedPacketizer:
    """Subscribes to one encoder while anyone listens, cuts each frame once, and hands it to all."""

    def __init__(self, source: EncodedSource) -> None:
        self.source = source
        self.frames = 0
        self.keyframes = 0
        self._listeners: list[FrameListener] = []
        self._unsubscribe: Unsubscribe | None = None
        self._picture_id = secrets.randbits(15)

    def subscribe(self, listener: FrameListener) -> Unsubscribe:
        """Hand every coming frame to listener until the returned function is called."""
        self._listeners.append(listener)
        if self._unsubscribe is None:
            self._unsubscribe = self.source.subscribe(self._on_frame)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)
            if not self._listeners and self._unsubscribe is not None:
                self._unsubscribe()
                self._unsubscribe = None

        return unsubscribe

    def _on_frame(self, frame: EncodedFrame) -> None:
        self.frames += 1
        self.keyframes += frame.keyframe
        payloads = self._payloads(frame.payload)
        if not payloads:
            return
        packetized = PacketizedFrame(payloads, frame.timestamp, frame.captured_at, frame.keyframe)
        for listener in tuple(self._listeners):
            try:
                listener(packetized)
            except Exception:  # one party's fault must not take the picture from the others
                logger.exception("A frame could not be sent to one party")

    def _payloads(self, payload: bytes) -> tuple[bytes, ...]:
        if self.source.codec == "H264":
            return packetize_h264(payload)
        if self.source.codec == "VP8":
            self._picture_id = (self._picture_id + 1) & 0x7FFF
            return packetize_vp8(payload, self._picture_id)
        return (payload,)
