"""What an encoder hands out: encoded pictures and sound, shared by every party."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

Codec = Literal["H264", "VP8", "opus"]
EncodingName = Literal["full", "small", "vp8"]  # the one for all, that for slow lines, and for no H.264

VIDEO_CLOCK_RATE_HZ = 90_000
AUDIO_CLOCK_RATE_HZ = 48_000
AUDIO_FRAME_MS = 20


@dataclass(frozen=True, slots=True)
class EncodedFrame:
    """One encoded picture, or 20 ms of sound.

    payload: an H.264 access unit in Annex B form, one VP8 frame, or one Opus packet.
    timestamp: in units of the source's clock rate, unwrapped (grows for ever; RTP takes it modulo 2**32).
    captured_at: seconds of time.monotonic() when the picture or the last sample was captured; sender
    reports are made from it, so that picture and sound of one instant carry the same time.
    """

    payload: bytes
    timestamp: int
    captured_at: float
    keyframe: bool


@dataclass(frozen=True, slots=True)
class EncodingTarget:
    """What congestion control asks of an encoder: bit/s, frames/s and picture size in pixels."""

    bit_rate: int
    frame_rate: float
    width: int
    height: int


Listener = Callable[[EncodedFrame], None]
Unsubscribe = Callable[[], None]


class EncodedSource(Protocol):
    """One running encoder. All methods are called on the event loop, and listeners are called there."""

    codec: Codec
    clock_rate: int

    def subscribe(self, listener: Listener) -> Unsubscribe:
        """Hand every coming frame to listener, until the returned function is called."""

    def request_keyframe(self) -> None:
        """Make the next frame a keyframe; requests are joined, and served at most twice a second."""

    def set_target(self, target: EncodingTarget) -> None:
        """Follow the line: a new bitrate needs no new keyframe, a new size does."""

    def skip_until(self, at: float) -> None:
        """Leave out the pictures captured before `at` (seconds of time.monotonic()): the line is full.

        Sound goes on. What follows needs no keyframe, since what was left out was never encoded.
        """

    def set_expected_loss(self, fraction: float) -> None:
        """Follow the line's loss: the share of packets (0 to 1) that the worst party lost lately.

        Sound answers with forward error correction and a little more bitrate; a picture is repaired by
        retransmission, and does nothing. May be called as often as one likes.
        """
