"""A still picture as JPEG (ITU-T T.81), by FFmpeg's encoder: no further library is loaded for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from av import VideoFrame
from av.codec.context import CodecContext
from av.video.codeccontext import VideoCodecContext

from agent.media.device import DeviceError
from agent.media.pixels import FULL_RANGE, NARROW_RANGE

MIME = "image/jpeg"
BYTES_MAX = 12 * 1024 * 1024
# FFmpeg's quantiser, 1 to 31: 2 is what others call quality 92 to 95; the next for what would be too large.
QUANTISERS = (2, 5, 10)


@dataclass(frozen=True, slots=True)
class Still:
    """An encoded still picture, and its size in pixels."""

    data: bytes = field(repr=False)
    width: int
    height: int


def encode_still(frame: VideoFrame) -> Still:
    """The whole yuv420p picture as JPEG, of at most 12 MiB. Some 25 ms a megapixel: call it in a thread.

    Raises DeviceError if it cannot be made as small as that.
    """
    full = frame.reformat(format="yuvj420p", src_color_range=NARROW_RANGE, dst_color_range=FULL_RANGE)
    for quantiser in QUANTISERS:
        data = _encoded(full, quantiser)
        if len(data) <= BYTES_MAX:
            return Still(data, frame.width, frame.height)
    raise DeviceError(
        "still picture", "it is larger than 12 MiB", "Give a smaller sensor size in the profile"
    )


def _encoded(frame: VideoFrame, quantiser: int) -> bytes:
    encoder = CodecContext.create("mjpeg", "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, "yuvj420p"
    encoder.time_base = Fraction(1, 30)
    encoder.bit_rate = 0
    encoder.thread_count = 1
    encoder.options = {"qmin": str(quantiser), "qmax": str(quantiser)}
    frame.pts = 0
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])
