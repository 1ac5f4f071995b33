"""The planes of a yuv420p picture as arrays that can be read and written in place."""

from __future__ import annotations

import numpy as np
from av import VideoFrame
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from agent.media.zoom import Zoom

Plane = NDArray[np.uint8]

NARROW_RANGE, FULL_RANGE = 1, 2  # FFmpeg's AVCOL_RANGE_MPEG and AVCOL_RANGE_JPEG
PLANAR = ("yuv420p", "yuvj420p")  # three planes, the chroma's at half the size
BLACK_LUMA, WHITE_LUMA, NEUTRAL_CHROMA = 16, 235, 128  # ITU-R BT.601/709, narrow range


def planes(frame: VideoFrame) -> tuple[Plane, Plane, Plane]:
    """Luma, blue and red chroma of a yuv420p frame, as views without the padding at each line's end."""
    views = []
    for plane in frame.planes:
        lines: Plane = np.frombuffer(plane, np.uint8)  # type: ignore[call-overload]
        views.append(lines.reshape(plane.height, plane.line_size)[:, : plane.width])
    return views[0], views[1], views[2]


def blank(width: int, height: int, luma: int = BLACK_LUMA) -> VideoFrame:
    """A picture of one grey, black if nothing is said."""
    frame = VideoFrame(width, height, "yuv420p")
    for plane, value in zip(planes(frame), (luma, NEUTRAL_CHROMA, NEUTRAL_CHROMA), strict=True):
        plane[:] = value
    return frame


def copied(frame: VideoFrame) -> VideoFrame:
    """The same picture in memory of its own, to draw upon: a decoder may still refer to the one it gave
    out."""
    copy = VideoFrame(frame.width, frame.height, "yuv420p")
    for target, source in zip(planes(copy), planes(frame), strict=True):
        target[:] = source
    return copy


def scaled(
    frame: VideoFrame,
    width: int,
    height: int,
    pixel_format: str = "yuv420p",
    kept: VideoReformatter | None = None,
) -> VideoFrame:
    """The picture at another size or pixel format; the same object where both are right already.

    kept: for a stream of pictures, a scaler that is not set up anew for each (1280x720 to 640x360: 0.6 in place of
    1.0 ms). One thread: FFmpeg would start one per processor for every size, and hold them. MJPEG cameras give
    luma from 0 to 255 and everything after expects 16 to 235: left as it is, shadows turn black and skin white.
    """
    ranges = {"src_color_range": FULL_RANGE, "dst_color_range": NARROW_RANGE}
    return (kept or VideoReformatter()).reformat(
        frame,
        width,
        height,
        format=pixel_format,
        interpolation="BILINEAR",
        threads=1,
        **(ranges if frame.color_range == FULL_RANGE else {}),
    )


def fitted(frame: VideoFrame, width: int, height: int, kept: VideoReformatter | None = None) -> VideoFrame:
    """The picture scaled into width x height as yuv420p, with black bars where its shape is another.

    kept: see scaled.
    """
    scale = min(width / frame.width, height / frame.height)
    inner_width = min(width, round(frame.width * scale / 2) * 2)
    inner_height = min(height, round(frame.height * scale / 2) * 2)
    inner = scaled(frame, inner_width, inner_height, kept=kept)
    if (inner_width, inner_height) == (width, height):
        return inner
    outer = blank(width, height)
    left, top = (width - inner_width) // 4 * 2, (height - inner_height) // 4 * 2
    for index, (target, source) in enumerate(zip(planes(outer), planes(inner), strict=True)):
        x, y = (left, top) if index == 0 else (left // 2, top // 2)
        target[y : y + source.shape[0], x : x + source.shape[1]] = source
    return outer


def cropped(frame: VideoFrame, left: int, top: int, width: int, height: int) -> VideoFrame:
    """A part of a picture in PLANAR form, in memory of its own; all four numbers are even."""
    part = VideoFrame(width, height, frame.format.name)
    part.color_range = frame.color_range
    for index, (target, source) in enumerate(zip(planes(part), planes(frame), strict=True)):
        step = 1 if index == 0 else 2
        x, y = left // step, top // step
        target[:] = source[y : y + height // step, x : x + width // step]
    return part


def whole(frame: VideoFrame) -> VideoFrame:
    """The picture at its own size in yuv420p, in memory that no decoder writes into again."""
    plain = scaled(frame, frame.width // 2 * 2, frame.height // 2 * 2)
    return copied(plain) if plain is frame else plain


def zoomed(
    frame: VideoFrame,
    part: Zoom,
    size: tuple[int, int],
    kept: VideoReformatter | None = None,
    converter: VideoReformatter | None = None,
) -> VideoFrame:
    """That part of the picture, scaled into size (width, height) as yuv420p.

    kept, converter: for a stream, the scaler of the part and that of the whole (see scaled).
    """
    # Where the whole need not be converted, a quarter of the work is enough.
    is_planar = frame.format.name in PLANAR
    plain = frame if is_planar else scaled(frame, frame.width, frame.height, kept=converter)
    return fitted(cropped(plain, *part.pixels(frame.width, frame.height)), *size, kept)
