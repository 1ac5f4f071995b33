"""Asking a camera by ioctl, against a driver made of the kernel's own structures, byte for byte."""

from __future__ import annotations

import errno
import struct
from pathlib import Path

import pytest

from agent.media import v4l2
from agent.media.device import DeviceError
from agent.media.v4l2 import CameraMode, camera_abilities, read_abilities

YUYV, MJPG = 0x56595559, 0x47504A4D  # v4l2_fourcc('Y','U','Y','V') and ('M','J','P','G')


INTERVALS = {(YUYV, 1280): ((1, 10), (1, 5)), (YUYV, 640): ((1, 30),), MJPG: ((1001, 30000), (1, 15))}


class Driver:
    """A UVC camera: discrete sizes and intervals. Each answer is laid out by hand from videodev2.h."""

    own_capabilities = 0x04200001  # VIDEO_CAPTURE, EXT_PIX_FORMAT, STREAMING
    formats = (YUYV, MJPG)
    sizes = ((640, 480), (1280, 720))

    def __call__(self, number: int, request: int, argument: bytearray) -> int:
        assert number == 7
        assert len(argument) == request >> 16 & 0x3FFF  # the size is part of the request's number
        {0: self.capability, 2: self.format, 74: self.size, 75: self.interval}[request & 0xFF](argument)
        return 0

    def capability(self, argument: bytearray) -> None:
        argument[16:27] = b"HD Webcam\0x"
        argument[48:60] = b"usb-0000:00\0"
        argument[84:92] = struct.pack("<II", 0x84A00001, self.own_capabilities)

    def format(self, argument: bytearray) -> None:
        index, kind = struct.unpack_from("<II", argument)
        assert kind == 1
        argument[44:48] = struct.pack("<I", self.entry(self.formats, index))

    def size(self, argument: bytearray) -> None:
        (index,) = struct.unpack_from("<I", argument)
        argument[8:20] = struct.pack("<III", 1, *self.entry(self.sizes, index))

    def interval(self, argument: bytearray) -> None:
        index, pixel_format, width, _height = struct.unpack_from("<IIII", argument)
        known = INTERVALS.get((pixel_format, width)) or INTERVALS.get(pixel_format, ())
        argument[16:28] = struct.pack("<III", 1, *self.entry(known, index))

    @staticmethod
    def entry(entries: tuple, index: int):
        if index >= len(entries):
            raise OSError(errno.EINVAL, "Invalid argument")
        return entries[index]


class Mipi(Driver):
    """A sensor behind a bridge: sizes as a range, and no list of intervals at all."""

    formats = (0x3231564E,)  # NV12

    def size(self, argument: bytearray) -> None:
        argument[8:36] = struct.pack("<I6I", 3, 64, 1920, 16, 64, 1080, 8)

    def interval(self, argument: bytearray) -> None:
        raise OSError(errno.ENOTTY, "Inappropriate ioctl for device")


def test_a_webcam_s_modes_are_read_with_the_highest_rate_of_each() -> None:
    found = read_abilities(7, 1280, 720, Driver())
    assert (found.card, found.bus) == ("HD Webcam", "usb-0000:00")
    assert found.modes[:2] == (CameraMode("YUYV", 640, 480, 30.0), CameraMode("YUYV", 1280, 720, 10.0))
    assert [mode.fourcc for mode in found.modes[2:]] == ["MJPG", "MJPG"]
    assert found.modes[3].frame_rate == pytest.approx(29.97, abs=0.01)


def test_a_range_of_sizes_gives_the_one_that_is_wanted_or_the_nearest() -> None:
    assert read_abilities(7, 1280, 720, Mipi()).modes == (CameraMode("NV12", 1280, 720, 0.0),)
    assert read_abilities(7, 1270, 715, Mipi()).modes[0].width == 1280
    assert read_abilities(7, 4000, 3000, Mipi()).modes == (CameraMode("NV12", 1920, 1080, 0.0),)


def test_a_webcam_s_second_node_gives_metadata_and_is_refused() -> None:
    driver = Driver()
    driver.own_capabilities = 0x04A00000  # META_CAPTURE
    with pytest.raises(OSError, match="gives no pictures"):
        read_abilities(7, 1280, 720, driver)


def test_a_driver_that_never_ends_its_list_does_not_hang_us() -> None:
    driver = Driver()
    driver.entry = lambda entries, _index: entries[0]  # type: ignore[method-assign]
    assert len(read_abilities(7, 640, 480, driver).modes) == v4l2.ENTRIES_MAX**2


def test_a_missing_device_and_one_that_is_no_camera_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="Plug the camera in"):
        camera_abilities(str(tmp_path / "video0"), 640, 480)
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(DeviceError, match="it is no camera"):
        camera_abilities("/dev/null", 640, 480)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
