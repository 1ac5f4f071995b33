"""The encoder chain: one is open, and the next takes its place if it fails, without ending the call."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from av import VideoFrame
from av.video.frame import PictureType
from av.video.reformatter import VideoReformatter

from agent.media.annexb import Headers
from agent.media.pixels import copied, scaled
from agent.media.source import VIDEO_CLOCK_RATE_HZ, EncodingTarget
from agent.media.video_codec import (
    ENCODER_ERRORS,
    EncoderKind,
    OpenEncoder,
    PictureForm,
    error_text,
    highest_bit_rate,
)

log = logging.getLogger(__name__)

CHAIN_RETRY_S = 2.0  # after every encoder has failed, the chain is tried again from its head
# Encoders that need a new context for a new bitrate (libvpx takes none while it is open, measured with PyAV
# 18) get one soon for a lower rate, which the line asks for, and late for a higher one: it costs a keyframe.
REOPEN_LOWER_S, REOPEN_LOWER_SHARE = 2.0, 0.8
REOPEN_HIGHER_S, REOPEN_HIGHER_SHARE = 10.0, 1.4
RATE_STEP = 0.03  # a rate that is nearer than this to the one in force is left as it is
TIME_BASE = Fraction(1, VIDEO_CLOCK_RATE_HZ)

Opener = Callable[[EncoderKind, PictureForm, int], OpenEncoder]


@dataclass(frozen=True, slots=True)
class Payload:
    """One packet of an encoder; timestamp in 90 kHz, that of its picture also where the encoder delays."""

    data: bytes
    timestamp: int
    keyframe: bool


class EncoderChain:
    """The encoders in order, the open one, and what it was opened for. Used by the encoder's thread alone."""

    def __init__(self, kinds: Sequence[EncoderKind], form: PictureForm, opener: Opener) -> None:
        self._kinds, self._form, self._opener = kinds, form, opener
        self._index = 0
        self._context: OpenEncoder | None = None
        self._size = (0, 0)
        self._bit_rate = 0
        self._opened_at = float("-inf")
        self._exhausted_at: float | None = None
        self._headers = Headers()
        self._scaler = VideoReformatter()
        self.failures = 0

    @property
    def name(self) -> str | None:
        """The open encoder's name."""
        return None if self._context is None else self._kinds[min(self._index, len(self._kinds) - 1)].name

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of what the open encoder makes, in pixels."""
        return self._size

    @property
    def follows_at_once(self) -> bool:
        """Whether the encoder in use takes a new bitrate without being opened anew."""
        return self._kinds[min(self._index, len(self._kinds) - 1)].live_bit_rate

    def encode(
        self, frame: VideoFrame, timestamp: int, keyframe: bool, target: EncodingTarget, rate: float
    ) -> list[Payload] | None:
        """One picture in, its payload out; none yet if the encoder delays; None if every encoder failed."""
        while self._ready():
            kind = self._kinds[self._index]
            try:
                context = self._fitting(kind, target, rate)
                return self._payloads(context, kind, self._prepared(frame, kind), timestamp, keyframe)
            except ENCODER_ERRORS as error:
                self._fail(kind, error)
                keyframe = True
        return None

    def close(self) -> None:
        """Let the context go: FFmpeg frees it with the object."""
        self._context = None

    def _ready(self) -> bool:
        if self._exhausted_at is not None and time.monotonic() - self._exhausted_at >= CHAIN_RETRY_S:
            self._exhausted_at, self._index = None, 0
        return self._exhausted_at is None

    def _fail(self, kind: EncoderKind, error: Exception) -> None:
        self.failures += 1
        said = error_text(error)
        self._context = None
        self._index += 1
        if self._index < len(self._kinds):
            log.error(
                "encoder %s failed (%s); going on with %s", kind.name, said, self._kinds[self._index].name
            )
        else:
            self._exhausted_at = time.monotonic()
            log.error("encoder %s failed (%s); no other is left, trying again in 2 s", kind.name, said)

    def _fitting(self, kind: EncoderKind, target: EncodingTarget, rate: float) -> OpenEncoder:
        """The open context if it serves the target, else a new one, whose first picture is a keyframe by
        itself."""
        width, height = fitting_size(self._form, target)
        share = 1.0 if kind.reads_timestamps else self._form.frame_rate / rate
        most = min(self._form.max_bit_rate, highest_bit_rate(width, height))
        wanted = round(min(target.bit_rate * share, most))
        if self._context is None or self._size != (width, height) or self._outgrown(kind, wanted):
            form = PictureForm(width, height, self._form.frame_rate, most)
            self._context = self._opener(kind, form, wanted)
            self._headers = Headers()
            self._size, self._bit_rate, self._opened_at = (width, height), wanted, time.monotonic()
        elif kind.live_bit_rate and abs(wanted - self._bit_rate) > RATE_STEP * self._bit_rate:
            self._context.bit_rate = wanted
            self._bit_rate = wanted
        return self._context

    def _outgrown(self, kind: EncoderKind, wanted: int) -> bool:
        if kind.live_bit_rate:
            return False
        age_s, share = time.monotonic() - self._opened_at, wanted / max(1, self._bit_rate)
        lower = share < REOPEN_LOWER_SHARE and age_s >= REOPEN_LOWER_S
        return lower or (share > REOPEN_HIGHER_SHARE and age_s >= REOPEN_HIGHER_S)

    def _prepared(self, frame: VideoFrame, kind: EncoderKind) -> VideoFrame:
        """The picture as this encoder takes it. The second encoder of a call writes its own stamps on a
        copy."""
        if (frame.width, frame.height) != self._size or frame.format.name != kind.pixel_format:
            return scaled(frame, *self._size, kind.pixel_format, self._scaler)
        return frame if kind.codec == "H264" else copied(frame)

    def _payloads(
        self, context: OpenEncoder, kind: EncoderKind, frame: VideoFrame, timestamp: int, keyframe: bool
    ) -> list[Payload]:
        frame.pts = timestamp
        frame.time_base = TIME_BASE
        frame.pict_type = PictureType.I if keyframe else PictureType.NONE
        payloads = []
        for packet in context.encode(frame):
            data = bytes(packet)
            if packet.is_keyframe and kind.codec == "H264":
                data = self._headers.keyframe(data)
            payloads.append(
                Payload(data, timestamp if packet.pts is None else packet.pts, packet.is_keyframe)
            )
        return payloads


def fitting_size(form: PictureForm, target: EncodingTarget) -> tuple[int, int]:
    """The camera's shape, no larger than target and camera; even, as 4:2:0 needs it."""
    scale = min(1.0, target.width / form.width, target.height / form.height)
    return max(2, round(form.width * scale) // 2 * 2), max(2, round(form.height * scale) // 2 * 2)
