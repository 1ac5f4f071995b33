"""What a camera says it can do, asked of the kernel by ioctl: formats, sizes, frame intervals.

Numbers and layouts are the kernel's stable user interface, include/uapi/linux/videodev2.h: v4l2_capability (104
bytes), v4l2_fmtdesc (64), v4l2_frmsizeenum (44), v4l2_frmivalenum (52). Asking starts no stream, and lights no
lamp of the camera's own.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from agent.media.device import DeviceError

VIDIOC_QUERYCAP = 0x80685600  # _IOR('V', 0, struct v4l2_capability)
VIDIOC_ENUM_FMT = 0xC0405602  # _IOWR('V', 2, struct v4l2_fmtdesc)
VIDIOC_ENUM_FRAMESIZES = 0xC02C564A  # _IOWR('V', 74, struct v4l2_frmsizeenum)
VIDIOC_ENUM_FRAMEINTERVALS = 0xC034564B  # _IOWR('V', 75, struct v4l2_frmivalenum)
CAPABILITY = struct.Struct("=16s32s32sIII12x")
FORMAT = struct.Struct("=III32sII12x")
SIZE = struct.Struct("=III6I8x")
INTERVAL = struct.Struct("=IIIII6I8x")
CAP_VIDEO_CAPTURE, CAP_DEVICE_CAPS = 0x00000001, 0x80000000
BUF_TYPE_VIDEO_CAPTURE = 1
DISCRETE = 1  # of sizes and of intervals; 2 is continuous and 3 stepwise, in both
ENTRIES_MAX = 64  # no camera lists more; a driver that never says "no more" must not hang us

Ioctl = Callable[[int, int, bytearray], int]


@dataclass(frozen=True, slots=True)
class CameraMode:
    """One pixel format (its four characters) at one size in pixels, and the highest rate in frames/s."""

    fourcc: str
    width: int
    height: int
    frame_rate: float


@dataclass(frozen=True, slots=True)
class CameraAbilities:
    """The camera's own name, where it is plugged in, and its modes."""

    card: str
    bus: str
    modes: tuple[CameraMode, ...]


def camera_abilities(device: str, width: int, height: int) -> CameraAbilities:
    """What the camera at this path can do; width and height choose among sizes given as a range.

    Raises DeviceError if there is no such device, or it is no camera.
    """
    try:
        number = os.open(device, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        reason = error.strerror or str(error)
        raise DeviceError(
            f"camera {device}", reason, "Plug the camera in, or correct camera.device"
        ) from error
    try:
        return read_abilities(number, width, height)
    except OSError as error:
        reason = f"it is no camera ({error.strerror})"
        raise DeviceError(f"camera {device}", reason, "Correct camera.device in the board profile") from error
    finally:
        os.close(number)


def read_abilities(number: int, width: int, height: int, ioctl: Ioctl = fcntl.ioctl) -> CameraAbilities:
    """The same of an open device. Raises OSError if it is not one that captures pictures."""
    answer = bytearray(CAPABILITY.size)
    ioctl(number, VIDIOC_QUERYCAP, answer)
    _driver, card, bus, _version, capabilities, device_caps = CAPABILITY.unpack(answer)
    # A UVC camera has two nodes, and the second gives metadata only: the node's own abilities tell.
    own = device_caps if capabilities & CAP_DEVICE_CAPS else capabilities
    if not own & CAP_VIDEO_CAPTURE:
        raise OSError(errno.ENODEV, "gives no pictures")
    modes = [
        CameraMode(fourcc, *size, rate)
        for fourcc, pixel_format in _formats(number, ioctl)
        for size in _sizes(number, ioctl, pixel_format, (width, height))
        for rate in [_highest_rate(number, ioctl, pixel_format, size)]
    ]
    return CameraAbilities(_text(card), _text(bus), tuple(modes))


def _formats(number: int, ioctl: Ioctl) -> Iterator[tuple[str, int]]:
    for index in range(ENTRIES_MAX):
        asked = bytearray(FORMAT.pack(index, BUF_TYPE_VIDEO_CAPTURE, 0, b"", 0, 0))
        if not _answered(number, ioctl, VIDIOC_ENUM_FMT, asked):
            return
        pixel_format: int = FORMAT.unpack(asked)[4]
        yield pixel_format.to_bytes(4, "little").decode("ascii", "replace"), pixel_format


def _sizes(
    number: int, ioctl: Ioctl, pixel_format: int, wanted: tuple[int, int]
) -> Iterator[tuple[int, int]]:
    for index in range(ENTRIES_MAX):
        asked = bytearray(SIZE.pack(index, pixel_format, *[0] * 7))
        if not _answered(number, ioctl, VIDIOC_ENUM_FRAMESIZES, asked):
            return
        _, _, kind, *values = SIZE.unpack(asked)
        if kind == DISCRETE:
            yield values[0], values[1]
            continue
        across, down = values[:3], values[3:]
        yield _within(wanted[0], *across), _within(wanted[1], *down)
        return


def _within(wanted: int, least: int, most: int, step: int) -> int:
    """The value of a range that is nearest to what is wanted, and not below it where that can be."""
    steps = -(-(max(least, wanted) - least) // max(1, step))
    value = least + steps * max(1, step)
    return value if value <= most else least + (most - least) // max(1, step) * max(1, step)


def _highest_rate(number: int, ioctl: Ioctl, pixel_format: int, size: tuple[int, int]) -> float:
    """In frames/s; 0 if the driver does not say, as many of MIPI cameras do not."""
    highest = 0.0
    for index in range(ENTRIES_MAX):
        asked = bytearray(INTERVAL.pack(index, pixel_format, *size, 0, *[0] * 6))
        if not _answered(number, ioctl, VIDIOC_ENUM_FRAMEINTERVALS, asked):
            break
        _, _, _, _, kind, numerator, denominator, *_ = INTERVAL.unpack(asked)
        highest = max(highest, denominator / numerator if numerator else 0.0)
        if kind != DISCRETE:
            break  # a range begins with its shortest interval
    return highest


def _answered(number: int, ioctl: Ioctl, request: int, argument: bytearray) -> bool:
    """False at the list's end (EINVAL), or where the driver has no such list (ENOTTY)."""
    try:
        ioctl(number, request, argument)
    except OSError as error:
        if error.errno in (errno.EINVAL, errno.ENOTTY):
            return False
        raise
    return True


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("utf-8", "replace").strip()
