"""Cameras: the drawn scene moves, films loop in step with their clock, V4L2 is asked rightly."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from agent.media import camera as camera_module
from agent.media.camera import (
    CameraSettings,
    FileCamera,
    SceneCamera,
    V4l2Camera,
    make_camera,
    v4l2_captured_at,
    v4l2_options,
    with_clock,
)
from agent.media.clock_pattern import clock_age_ms, read_clock
from agent.media.device import DeviceError, RawPicture
from agent.media.footage import Footage, looped_pictures
from agent.media.pixels import blank, fitted, planes

SMALL = CameraSettings(width=160, height=96, frame_rate=50)


def test_the_scene_moves_from_picture_to_picture_at_the_asked_rate() -> None:
    camera = SceneCamera(CameraSettings(width=320, height=180, frame_rate=50))
    camera.open()
    pictures = [camera.read() for _ in range(4)]
    camera.close()
    assert (pictures[0].frame.width, pictures[0].frame.height) == (320, 180)
    steps = np.diff([picture.captured_at for picture in pictures])
    assert np.allclose(
        np.round(steps / 0.02), steps / 0.02, atol=1e-6
    )  # whole ticks, even if some were missed
    lumas = [planes(picture.frame)[0] for picture in pictures]
    assert not any(np.array_equal(one, other) for one, other in pairwise(lumas))
    with pytest.raises(DeviceError, match="not open"):
        camera.read()


def test_a_film_goes_round_without_a_gap_and_starts_anywhere(film: Path) -> None:
    pictures = looped_pictures(Footage(film), from_s=0.0)
    times = [next(pictures)[0] for _ in range(60)]
    assert times == pytest.approx([index / 25 for index in range(60)], abs=0.002)
    later = looped_pictures(Footage(film), from_s=7.5)
    assert next(later)[0] <= 7.5  # the keyframe before it, so that what is due can be decoded


def test_a_film_shows_what_is_due_by_its_clock_also_after_closing(film: Path) -> None:
    footage = Footage(film)
    camera = FileCamera(SMALL, footage)

    def shown() -> int:
        camera.open()
        picture = camera.read()
        camera.close()
        position = (picture.captured_at - footage.started_at()) % 1.0
        luma = float(planes(picture.frame)[0].mean())
        return round((luma - 16) / 8) - int(position * 25)

    assert shown() in (-1, 0)  # the picture that began at or before the moment
    time.sleep(0.1)
    assert shown() in (-1, 0)


def test_a_film_that_is_missing_or_has_no_picture_says_so(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match=r"gone\.mp4: it cannot be opened"):
        FileCamera(SMALL, Footage(tmp_path / "gone.mp4")).open()
    with pytest.raises(DeviceError, match="no film is given"):
        make_camera(CameraSettings(kind="file"))
    text = tmp_path / "text.mp4"
    text.write_text("no film")
    with pytest.raises(DeviceError, match="cannot be opened"):
        FileCamera(SMALL, Footage(text)).open()


def test_another_shape_gets_bars_and_not_stretched() -> None:
    narrow = blank(96, 96, luma=200)
    luma = planes(fitted(narrow, 160, 96))[0]
    assert (luma.shape, luma[48, 4], luma[48, 80], luma[48, 155]) == ((96, 160), 16, 200, 16)


def test_the_burnt_clock_is_the_time_of_capture_and_leaves_the_original_alone() -> None:
    picture = RawPicture(blank(640, 360, luma=90), time.monotonic() - 0.5)
    stamped = with_clock(picture)
    value = read_clock(planes(stamped.frame)[0])
    assert value is not None
    assert clock_age_ms(value, round(time.time() * 1000)) >= 500
    assert int(planes(picture.frame)[0].max()) == 90


def test_v4l2_is_asked_for_size_rate_and_format() -> None:
    settings = CameraSettings(kind="v4l2", width=1280, height=720, frame_rate=30)
    assert v4l2_options(settings, "mjpeg") == {
        "input_format": "mjpeg",
        "video_size": "1280x720",
        "framerate": "30",
    }


def test_v4l2_takes_the_first_format_the_driver_accepts(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    really_open = av.open

    def opened(device: str, format: str, options: dict[str, str]) -> object:
        assert (device, format) == ("/dev/video7", "v4l2")
        asked.append(options["input_format"])
        if options["input_format"] == "mjpeg":
            raise OSError(22, "Invalid argument")
        return really_open(str(film))

    monkeypatch.setattr(camera_module.av, "open", opened)
    camera = make_camera(CameraSettings(kind="v4l2", device="/dev/video7", width=80, height=48))
    camera.open()
    picture = camera.read()
    assert (asked, picture.frame.width, picture.frame.format.name) == (["mjpeg", "yuyv422"], 80, "yuv420p")
    with pytest.raises(DeviceError, match="stopped giving pictures"):
        [camera.read() for _ in range(30)]  # the stand-in ends after 25 pictures, as an unplugged camera does
    camera.close()
    camera.close()


@pytest.mark.parametrize(
    ("error", "instruction"),
    [
        (OSError(2, "No such file or directory"), "Plug the camera in"),
        (OSError(16, "Device or resource busy"), "Another program holds the camera"),
        (OSError(13, "Permission denied"), "group video"),
        (OSError(22, "Invalid argument"), "Correct size, frame rate or pixel formats"),
    ],
)
def test_a_camera_that_does_not_open_says_what_to_do(
    error: OSError, instruction: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(camera_module.av, "open", refused)
    with pytest.raises(DeviceError, match=instruction):
        V4l2Camera(CameraSettings(kind="v4l2")).open()


def test_kernel_stamps_are_used_only_if_they_are_of_the_monotonic_clock() -> None:
    assert v4l2_captured_at(99.95, now=100.0) == 99.95
    assert v4l2_captured_at(1_763_776_543.0, now=100.0) == 100.0
    assert v4l2_captured_at(0.033, now=100.0) == 100.0
    assert v4l2_captured_at(None, now=100.0) == 100.0
