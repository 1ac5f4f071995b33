"""In which form a camera's pictures are taken: the cheapest that gives the asked size and rate. Pure.

Bare pictures (NV12, YUYV) cost next to nothing to take, but 1280x720 as YUYV at 30 frames/s is 442 Mbit/s: over
USB 2 a camera then offers some 10 frames/s, and says so in its list of frame intervals, which therefore
decides. MJPEG has to be decoded, whole: FFmpeg's decoder at half resolution took longer than at full (measured).
A camera's own H.264 is decoded and encoded anew like the rest and not passed through: its bitrate follows no
line, its keyframes come when it likes and not when a receiver has lost one, and setting either is in UVC an
extension of each vendor's. It adds the camera's own delay, too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from agent.media.v4l2 import CameraMode

FFMPEG_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "YU12": "yuv420p",
        "NV12": "nv12",
        "YUYV": "yuyv422",
        "UYVY": "uyvy422",
        "MJPG": "mjpeg",
        "JPEG": "mjpeg",
        "H264": "h264",
    }
)
# Milliseconds of processor per megapixel up to yuv420p, on one 2.5 GHz core with real footage: only how they
# compare counts. A probe on the unit itself may give others.
COSTS_MS: Mapping[str, float] = MappingProxyType(
    {"yuv420p": 0.05, "nv12": 0.24, "yuyv422": 0.48, "uyvy422": 0.48, "mjpeg": 6.4, "h264": 5.4}
)
SCALING_MS = 2.0  # per megapixel of the larger picture
H264_FACTOR = 1.5  # it was encoded for a rate of the camera's choice, and late: only if clearly cheaper
NEARLY = 1.15  # of two that cost about the same, the board's profile prefers
RATE_SHARE = 0.95  # 29.97 is 30
LEAST_RATE = 5.0  # frames/s: slower, a zoomed picture is no film any more
SAME_SHAPE = 0.02
UNKNOWN_RATE = 0.0  # a driver that lists no intervals gives what it is asked for, or says no at the start


@dataclass(frozen=True, slots=True)
class CameraWish:
    """Size in pixels, frames/s, and FFmpeg's names of the formats preferred by the board's profile."""

    width: int
    height: int
    frame_rate: int
    pixel_formats: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CameraPath:
    """One way to take pictures: what to ask of the driver, its cost for a picture, and whether it suffices."""

    fourcc: str
    pixel_format: str
    width: int
    height: int
    frame_rate: float
    picture_ms: float
    suffices: bool

    def __str__(self) -> str:
        work = {"mjpeg": "decoded", "h264": "decoded", "yuv420p": "as it is"}.get(
            self.pixel_format, "converted"
        )
        rate = f"at {self.frame_rate:g} frames/s" if self.frame_rate else "at a rate the driver does not tell"
        cost = f"{self.picture_ms:.1f} ms a picture"
        fault = "" if self.suffices else "; less than what is asked for"
        return f"{self.fourcc} {self.width}x{self.height} {rate}, {work}: {cost}{fault}"


def camera_paths(
    modes: Sequence[CameraMode], wish: CameraWish, costs_ms: Mapping[str, float] = COSTS_MS
) -> tuple[CameraPath, ...]:
    """All usable ways, best first: those that suffice by cost, then the others by how near they come."""
    paths = [_path(mode, wish, costs_ms) for mode in modes if mode.fourcc in FFMPEG_NAMES]
    enough = sorted((path for path in paths if path.suffices), key=lambda path: path.picture_ms)
    rest = sorted((path for path in paths if not path.suffices), key=lambda path: _shortfall(path, wish))
    if enough:
        alike = [path for path in enough if path.picture_ms <= enough[0].picture_ms * NEARLY]
        first = min(alike, key=lambda path: _preference(path.pixel_format, wish))
        enough = [first, *(path for path in enough if path is not first)]
    return (*enough, *rest)


def largest_size(
    modes: Sequence[CameraMode], wish: CameraWish, sensor: tuple[int, int] | None = None
) -> tuple[int, int]:
    """The largest picture the camera gives: of the wished shape if there is one, at a usable rate.

    sensor: what the board's profile says of it, which counts if the driver lists that size, or nothing.
    """
    usable = [
        mode
        for mode in modes
        if mode.fourcc in FFMPEG_NAMES and (mode.frame_rate == UNKNOWN_RATE or mode.frame_rate >= LEAST_RATE)
    ]
    sizes = {(mode.width, mode.height) for mode in usable}
    if sensor is not None and (sensor in sizes or not sizes):
        return sensor
    plain = (wish.width, wish.height)
    shape = wish.width / wish.height
    alike = [size for size in sizes if abs(size[0] / size[1] / shape - 1) < SAME_SHAPE]
    best = max(alike or sizes, key=lambda size: size[0] * size[1], default=plain)
    return best if best[0] * best[1] > wish.width * wish.height else plain


def _path(mode: CameraMode, wish: CameraWish, costs_ms: Mapping[str, float]) -> CameraPath:
    name = FFMPEG_NAMES[mode.fourcc]
    megapixels = mode.width * mode.height / 1e6
    cost = megapixels * costs_ms.get(name, COSTS_MS[name])
    if (mode.width, mode.height) != (wish.width, wish.height):
        cost += megapixels * SCALING_MS
    if name == "h264":
        cost *= H264_FACTOR
    rate = mode.frame_rate
    suffices = (
        mode.width >= wish.width
        and mode.height >= wish.height
        and (rate == UNKNOWN_RATE or rate >= wish.frame_rate * RATE_SHARE)
    )
    asked_rate = min(rate, wish.frame_rate) if rate else UNKNOWN_RATE
    return CameraPath(mode.fourcc, name, mode.width, mode.height, asked_rate, cost, suffices)


def _shortfall(path: CameraPath, wish: CameraWish) -> tuple[float, float]:
    """Movement counts before sharpness: half the size loses less of a conversation than a third of the rate."""
    size = min(1.0, path.width / wish.width) * min(1.0, path.height / wish.height)
    rate = min(1.0, (path.frame_rate or wish.frame_rate) / wish.frame_rate)
    return -math.sqrt(size) * rate, path.picture_ms


def _preference(pixel_format: str, wish: CameraWish) -> int:
    known = wish.pixel_formats
    return known.index(pixel_format) if pixel_format in known else len(known)
