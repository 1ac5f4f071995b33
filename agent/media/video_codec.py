"""The video encoders we know, and how each is opened for low latency.

libx264: one thread, no look-ahead and no B frames, so that a picture comes out as soon as it went in;
constrained baseline, which every browser decodes (RFC 6184's 42e01f); keyframes only when asked for. Its rate
control takes a new bitrate on the open context only if it was opened with maximum rate and bitrate alike
(constant bitrate) and a buffer: opened otherwise the change is silently without effect (measured with PyAV
18). So it is opened at the highest rate that its size will ever be asked for, and turned down at once.

libx264 at 1280x720, one thread: processor time beside "superfast" as it is, and SSIM at 1 Mbit/s of a film with
much motion (0.926) and of a talking head with a camera's noise (0.931). Taken: no adaptive quantisation and no
partitions 0.88 to 0.94, 0.924, 0.931 (at 400 kbit/s the film gains 0.024, the head loses 0.0015), keyframes of
text the same. Not taken: "veryfast" 1.5, 0.923, 0.932; "ultrafast" 0.63, 0.849, 0.905; subme=0 (whole pixels only)
0.76, 0.895, 0.930; no deblocking 0.96, 0.915, 0.919; CABAC 1.1, 0.936, 0.933, but that is no longer the baseline
profile; intra refresh, since a browser that asks for a keyframe waits for a whole one. A picture took 7 to 10 ms
of a quiet 2.5 GHz core, 11 to 15 beside a busy one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from types import MappingProxyType
from typing import Protocol

import av
from av import Packet, VideoFrame
from av.codec.context import CodecContext
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from agent.media.source import VIDEO_CLOCK_RATE_HZ, Codec

# Of the highest rate for the size. At the lower end of a size's use that is about 0.14 s, and so large may a
# keyframe or a cut be. With 0.15 the line's queue was 90 ms at the 95th percentile, and 42 with this, for 0.5 dB
# (real footage, 640x360, 380 kbit/s); receivers hold all pictures and sound back by what a queue is at its worst.
RATE_BUFFER_S = 0.06
FULL_PIXELS, FULL_BIT_RATE = 1280 * 720, 2_500_000
ENDLESS_GOP = 1_000_000  # pictures: nine hours at 30 frames/s


# av.FFmpegError is an OSError or ValueError for some of FFmpeg's codes only.
ENCODER_ERRORS = (av.FFmpegError, OSError, ValueError, RuntimeError)


class OpenEncoder(Protocol):
    """What is used of PyAV's VideoCodecContext."""

    bit_rate: int | None

    def encode(self, frame: VideoFrame | None = None) -> list[Packet[VideoStream]]:
        """The packets that frame completes; one for one with our settings."""


@dataclass(frozen=True, slots=True)
class EncoderKind:
    """One FFmpeg encoder: its name, its codec and its options.

    live_bit_rate: takes a new bitrate on the open context. reads_timestamps: shares the bitrate out by the
    pictures' times; others share it out over the frame rate they were opened with, whatever comes. on_processor:
    its work is done by the calling thread, whose processor time is then what it takes.
    """

    name: str
    codec: Codec
    options: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    pixel_format: str = "yuv420p"
    live_bit_rate: bool = True
    reads_timestamps: bool = False
    on_processor: bool = False


@dataclass(frozen=True, slots=True)
class PictureForm:
    """What an encoder is opened for: pixels, frames/s, and the highest bitrate in bit/s it will be asked
    for."""

    width: int
    height: int
    frame_rate: int
    max_bit_rate: int


ENCODERS: Mapping[str, EncoderKind] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            EncoderKind(
                "libx264",
                "H264",
                {
                    "preset": "superfast",
                    "tune": "zerolatency",
                    "profile": "baseline",
                    "level": "3.1",
                    "forced-idr": "1",
                    "x264-params": "keyint=infinite:scenecut=0:repeat-headers=1:aq-mode=0:partitions=none",
                },
                on_processor=True,
            ),
            EncoderKind("h264_v4l2m2m", "H264", {"num_capture_buffers": "8"}, live_bit_rate=False),
            EncoderKind(
                "h264_qsv",
                "H264",
                {"profile": "baseline", "preset": "veryfast", "async_depth": "1", "forced_idr": "1"},
                pixel_format="nv12",
            ),
            EncoderKind(
                "h264_nvenc",
                "H264",
                {
                    "profile": "baseline",
                    "preset": "p1",
                    "tune": "ull",
                    "rc": "cbr",
                    "forced-idr": "1",
                    "delay": "0",
                },
            ),
            EncoderKind(
                "libvpx",
                "VP8",
                {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "error-resilient": "default"},
                live_bit_rate=False,
                reads_timestamps=True,
                on_processor=True,
            ),
        )
    }
)


def highest_bit_rate(width: int, height: int) -> int:
    """The most that a picture of this size in pixels is ever encoded with, in bit/s.

    Beyond it the picture grows no better. A smaller one needs more for each pixel, hence the power.
    """
    return round(FULL_BIT_RATE * math.pow(width * height / FULL_PIXELS, 0.75))


def open_encoder(kind: EncoderKind, form: PictureForm, bit_rate: int) -> OpenEncoder:
    """Open an encoder for form at bit_rate (bit/s). Raises av.FFmpegError or ValueError if it is not to be
    had."""
    context = CodecContext.create(kind.name, "w")
    assert isinstance(context, VideoCodecContext)
    context.width, context.height = form.width, form.height
    context.pix_fmt = kind.pixel_format
    context.framerate = Fraction(form.frame_rate)
    context.time_base = Fraction(1, VIDEO_CLOCK_RATE_HZ)
    context.thread_count = 1
    context.gop_size = ENDLESS_GOP
    context.max_b_frames = 0
    opening_rate = form.max_bit_rate if kind.live_bit_rate else bit_rate
    context.bit_rate = opening_rate
    buffer_bits = int(opening_rate * RATE_BUFFER_S)
    context.options = {**kind.options, "maxrate": str(opening_rate), "bufsize": str(buffer_bits)}
    context.open()
    context.bit_rate = bit_rate
    return context


def error_text(error: Exception) -> str:
    """What an encoder's error says, without the call and the options that PyAV repeats in it."""
    log = getattr(error, "log", None)
    strerror = getattr(error, "strerror", None)
    return ": ".join(part for part in (strerror, log[2].strip() if log else None) if part) or str(error)


def ffmpeg_version() -> str:
    """Which FFmpeg this is: encoders that were tried with one may do otherwise with another."""
    return f"av {av.__version__}, libavcodec {av.library_versions['libavcodec']}"


def silence_ffmpeg() -> None:
    """Let FFmpeg say errors only: x264 prints a page for every context."""
    av.logging.set_level(av.logging.ERROR)
