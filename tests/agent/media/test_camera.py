"""Cameras: the drawn scene moves, films loop in step with their clock, V4L2 is asked rightly."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from av import VideoFrame

from agent.media import camera as camera_module
from agent.media.camera import (
    AskAbilities,
    CameraSettings,
    FileCamera,
    SceneCamera,
    V4l2Camera,
    make_camera,
    v4l2_captured_at,
    v4l2_options,
    with_clock,
)
from agent.media.camera_choice import CameraWish, camera_paths
from agent.media.clock_pattern import clock_age_ms, read_clock
from agent.media.device import DeviceError, RawPicture
from agent.media.footage import Footage, looped_pictures
from agent.media.pixels import FULL_RANGE, NARROW_RANGE, WHITE_LUMA, blank, fitted, planes
from agent.media.v4l2 import CameraAbilities, CameraMode

RANGE = {"mjpeg": FULL_RANGE, "libx264": NARROW_RANGE, "rawvideo": NARROW_RANGE}
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


WEBCAM = (
    CameraMode("YUYV", 1280, 720, 10.0),
    CameraMode("MJPG", 1280, 720, 30.0),
    CameraMode("H264", 1280, 720, 30.0),
)


def listed(*modes: CameraMode) -> AskAbilities:
    return lambda _device, _width, _height: CameraAbilities("Webcam", "usb-1", modes)


def test_v4l2_is_asked_for_size_rate_and_format() -> None:
    path = camera_paths(WEBCAM, CameraWish(1280, 720, 30))[0]
    asked = {"input_format": "mjpeg", "video_size": "1280x720", "framerate": "30"}
    assert v4l2_options(path) == asked
    silent = camera_paths([CameraMode("NV12", 1280, 720, 0.0)], CameraWish(1280, 720, 30))[0]
    assert v4l2_options(silent) == {"input_format": "nv12", "video_size": "1280x720"}


def test_v4l2_takes_the_best_form_the_driver_accepts_and_says_which(
    film: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked: list[str] = []
    really_open = av.open

    def opened(device: str, format: str, options: dict[str, str]) -> object:
        assert (device, format) == ("/dev/video7", "v4l2")
        asked.append(options["input_format"])
        if options["input_format"] == "mjpeg":
            raise OSError(22, "Invalid argument")
        return really_open(str(film))

    monkeypatch.setattr(camera_module.av, "open", opened)
    settings = CameraSettings(kind="v4l2", device="/dev/video7", width=80, height=48)
    camera = V4l2Camera(settings, listed(*WEBCAM))
    with caplog.at_level("INFO"):
        camera.open()
    picture = camera.read()
    assert (asked, picture.frame.width, picture.frame.format.name) == (["mjpeg", "h264"], 80, "yuv420p")
    assert "H264 1280x720 at 30 frames/s, decoded" in caplog.text
    with pytest.raises(DeviceError, match="stopped giving pictures"):
        [camera.read() for _ in range(30)]  # the stand-in ends after 25 pictures, as an unplugged camera does
    camera.close()
    camera.close()


def test_a_driver_that_lists_nothing_is_asked_for_the_profile_s_formats(
    film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    really_open = av.open

    def opened(_device: str, format: str, options: dict[str, str]) -> object:
        asked.append(options["input_format"])
        return really_open(str(film))

    monkeypatch.setattr(camera_module.av, "open", opened)
    camera = V4l2Camera(CameraSettings(kind="v4l2", pixel_formats=("nv12",)), listed())
    camera.open()
    camera.close()
    assert asked == ["nv12"]


@pytest.mark.parametrize(
    ("codec", "pixel_format", "container"),
    [("mjpeg", "yuvj422p", "avi"), ("libx264", "yuv420p", "h264"), ("rawvideo", "yuyv422", "nut")],
)
def test_a_camera_s_stream_of_each_kind_becomes_the_right_picture(
    codec: str, pixel_format: str, container: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = tmp_path / f"camera.{container}"
    with av.open(str(recorded), "w", format=container) as file:
        stream = file.add_stream(codec, rate=30)
        stream.width, stream.height, stream.pix_fmt = 320, 180, pixel_format
        if codec == "libx264":
            stream.options = {"preset": "superfast", "tune": "zerolatency"}
        for index in range(12):
            grey = blank(320, 180, luma=WHITE_LUMA).reformat(
                format=pixel_format, dst_color_range=RANGE[codec]
            )
            grey.pts = index
            file.mux(stream.encode(grey))
        file.mux(stream.encode(None))
    really_open = av.open
    monkeypatch.setattr(camera_module.av, "open", lambda *_, **__: really_open(str(recorded)))
    camera = V4l2Camera(CameraSettings(kind="v4l2", width=160, height=90), listed(*WEBCAM))
    camera.open()
    picture = camera.read()
    camera.close()
    assert (picture.frame.format.name, picture.frame.width) == ("yuv420p", 160)
    assert float(planes(picture.frame)[0].mean()) == pytest.approx(WHITE_LUMA, abs=2)


def test_what_is_shown_as_it_came_is_not_the_driver_s_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # That is unmapped when the camera is closed or pulled out: an encoder that still reads it ends the agent.
    recorded = tmp_path / "camera.nut"
    with av.open(str(recorded), "w", format="nut") as file:
        stream = file.add_stream("rawvideo", rate=30)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        file.mux(stream.encode(blank(320, 180, luma=WHITE_LUMA)))
    really_open = av.open
    monkeypatch.setattr(camera_module.av, "open", lambda *_, **__: really_open(str(recorded)))
    camera = V4l2Camera(CameraSettings(kind="v4l2", width=320, height=180), listed(*WEBCAM))
    camera.open()
    given: list[VideoFrame] = []
    really_next = camera._next
    monkeypatch.setattr(camera, "_next", lambda: given.append(really_next()) or given[-1])
    shown = camera.read().frame
    assert planes(shown)[0].ctypes.data != planes(given[0])[0].ctypes.data
    assert float(planes(shown)[0].mean()) == WHITE_LUMA
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
        V4l2Camera(CameraSettings(kind="v4l2"), listed(*WEBCAM)).open()


def test_kernel_stamps_are_used_only_if_they_are_of_the_monotonic_clock() -> None:
    assert v4l2_captured_at(99.95, now=100.0) == 99.95
    assert v4l2_captured_at(1_763_776_543.0, now=100.0) == 100.0
    assert v4l2_captured_at(0.033, now=100.0) == 100.0
    assert v4l2_captured_at(None, now=100.0) == 100.0
