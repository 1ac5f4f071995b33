"""Parts of a picture: within it, not too small, of its shape, and of even pixels."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.media import camera as camera_module
from agent.media import jpeg
from agent.media.camera import CameraSettings, FileCamera, SceneCamera, V4l2Camera
from agent.media.camera_choice import CameraWish, largest_size
from agent.media.device import DeviceError
from agent.media.footage import Footage
from agent.media.jpeg import encode_still
from agent.media.pixels import blank, cropped, planes, zoomed
from agent.media.scene import Scene
from agent.media.v4l2 import CameraAbilities, CameraMode
from agent.media.zoom import SIDE_MIN, Zoom

SHARE = st.floats(0, 1)
CHART = Zoom(1 / 12, 0.6, 1 / 6, 1 / 6)
SCENE = CameraSettings(width=640, height=360, sensor=(2560, 1440), frame_rate=200)


@given(SHARE, SHARE, SHARE, SHARE, st.integers(80, 4000), st.integers(45, 3000))
def test_every_part_lies_within_the_picture_and_on_even_pixels(x, y, width, height, across, down) -> None:
    zoom = Zoom.clamped(x, y, width, height)
    if zoom is None:
        assert max(width, height) > 0.99
        return
    assert SIDE_MIN <= zoom.width == zoom.height
    left, top, w, h = zoom.pixels(across // 2 * 2, down // 2 * 2)
    assert all(number % 2 == 0 for number in (left, top, w, h))
    assert 0 <= left <= left + w <= across
    assert 0 <= top <= top + h <= down
    assert w >= 2 <= h


def detail(frame) -> float:
    """How much of the picture changes from one pixel to the next."""
    return float(np.abs(np.diff(planes(frame)[0].astype(int), axis=1)).mean())


def test_a_zoomed_scene_shows_what_a_larger_copy_of_the_plain_picture_does_not() -> None:
    camera = SceneCamera(SCENE)
    camera.open()
    plain = camera.read().frame
    camera.zoom(CHART)
    real = camera.read().frame
    enlarged = zoomed(plain, CHART, (640, 360))
    assert (real.width, real.height) == (640, 360)
    assert detail(real) > 5 * detail(enlarged)
    still = camera.still()
    assert (still.width, still.height) == (2560, 1440)
    camera.zoom(None)
    assert (camera.read().frame.width, camera._scene.width) == (640, 640)
    camera.close()


def test_the_hand_s_scene_is_another() -> None:
    room, hand = (planes(Scene(320, 180, motif).draw(0, 0))[2].mean() for motif in ("room", "hand"))
    assert hand - room > 10


def test_a_film_is_cropped_at_its_own_size(film: Path) -> None:
    camera = FileCamera(CameraSettings(kind="file", width=80, height=48, frame_rate=50), Footage(film))
    camera.open()
    camera.read()
    assert camera.sensor == (160, 96)
    camera.zoom(Zoom(0.5, 0.5, 0.25, 0.25))
    assert (camera.read().frame.width, camera.still().width) == (80, 160)
    camera.close()


def test_a_crop_is_the_picture_s_own_pixels() -> None:
    frame = blank(64, 36)
    planes(frame)[0][10:14, 20:26] = 200
    planes(frame)[1][5:7, 10:13] = 77
    part = cropped(frame, 20, 10, 6, 4)
    luma, blue, _ = planes(part)
    assert (part.width, part.height, luma.min(), blue.min(), blue.max()) == (6, 4, 200, 77, 77)


MODES = (
    CameraMode("YUYV", 640, 360, 30.0),
    CameraMode("MJPG", 640, 360, 30.0),
    CameraMode("MJPG", 1920, 1080, 30.0),
    CameraMode("MJPG", 2592, 1944, 15.0),
    CameraMode("YUYV", 3840, 2160, 1.0),
)
WISH = CameraWish(640, 360, 30)


@pytest.mark.parametrize(
    ("modes", "sensor", "size"),
    [
        (MODES, None, (1920, 1080)),  # of the same shape, and at a usable rate
        (MODES, (2592, 1944), (2592, 1944)),
        (MODES, (4000, 3000), (1920, 1080)),  # the driver knows better
        (MODES[:2], None, (640, 360)),
        ((), (1600, 900), (1600, 900)),
        ((), None, (640, 360)),
    ],
)
def test_the_largest_picture_of_a_camera(modes, sensor, size) -> None:
    assert largest_size(modes, WISH, sensor) == size


class Devices:
    """Stands in for av.open: a film of the asked size; `refuses` sizes are not to be had."""

    def __init__(self, tmp_path: Path) -> None:
        self.asked: list[str] = []
        self.refuses: set[str] = set()
        self.open_now = 0
        self._path = tmp_path
        self._really_open = av.open

    def __call__(self, _device: str, format: str, options: dict[str, str]) -> object:
        size = options["video_size"]
        self.asked.append(size)
        if size in self.refuses:
            raise OSError(22, "Invalid argument")
        path = self._path / f"{size}.avi"
        if not path.exists():
            width, height = map(int, size.split("x"))
            with self._really_open(str(path), "w") as file:
                stream = file.add_stream("mjpeg", rate=30)
                stream.width, stream.height, stream.pix_fmt = width, height, "yuvj420p"
                for index in range(60):
                    picture = blank(width, height, luma=90).reformat(format="yuvj420p")
                    picture.pts = index
                    file.mux(stream.encode(picture))
                file.mux(stream.encode(None))
        return self._really_open(str(path))


@pytest.fixture
def device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Devices:
    devices = Devices(tmp_path)
    monkeypatch.setattr(camera_module.av, "open", devices)
    monkeypatch.setattr(camera_module, "SETTLES_S", 0.0)
    return devices


def webcam() -> V4l2Camera:
    modes = (CameraMode("MJPG", 160, 90, 30.0), CameraMode("MJPG", 320, 180, 30.0))
    settings = CameraSettings(kind="v4l2", device="/dev/video7", width=160, height=90)
    camera = V4l2Camera(settings, lambda *_: CameraAbilities("webcam", "usb", modes))
    camera.open()
    return camera


def test_a_real_camera_is_taken_larger_only_while_it_is_zoomed_and_for_a_still(device: Devices) -> None:
    camera = webcam()
    assert (camera.sensor, camera.read().frame.width) == ((320, 180), 160)
    camera.zoom(Zoom(0.0, 0.0, 0.5, 0.5))
    camera.zoom(Zoom(0.1, 0.0, 0.5, 0.5))
    assert camera.read().frame.width == 160
    assert camera.still().width == 320
    camera.zoom(None)
    assert camera.still().width == 320
    assert camera.read().frame.width == 160
    camera.close()
    assert device.asked == ["160x90", "320x180", "160x90", "320x180", "160x90"]


def test_a_driver_that_takes_any_size_is_asked_for_the_sensor_s_only_when_it_is_needed(
    device: Devices,
) -> None:
    settings = CameraSettings(kind="v4l2", width=160, height=90, sensor=(320, 180))
    camera = V4l2Camera(
        settings, lambda _, w, h: CameraAbilities("mipi", "csi", (CameraMode("MJPG", w, h, 30.0),))
    )
    camera.open()
    assert (camera.sensor, camera.still().width) == ((320, 180), 320)
    camera.zoom(Zoom(0.0, 0.0, 0.5, 0.5))
    camera.close()
    camera.open()
    assert camera.read().frame.width == 160
    camera.close()
    assert device.asked == ["160x90", "320x180", "160x90", "320x180", "320x180"]


def test_a_camera_that_refuses_its_largest_form_gives_zoom_and_still_of_the_plain_one(
    device: Devices,
) -> None:
    device.refuses = {"320x180"}
    camera = webcam()
    camera.zoom(Zoom(0.0, 0.0, 0.5, 0.5))
    assert camera.read().frame.width == 160
    camera.zoom(None)
    device.asked.clear()
    assert camera.still().width == 160
    assert camera.read().frame.width == 160
    camera.close()


def test_a_still_is_a_jpeg_of_the_same_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = Scene(1280, 720).draw(0, 0)
    still = encode_still(frame)
    assert (still.width, still.height, still.data[:2]) == (1280, 720, b"\xff\xd8")
    with av.open(BytesIO(still.data), format="image2pipe") as file:
        [decoded] = list(file.decode(video=0))
    again = decoded.reformat(format="yuv420p", src_color_range=2, dst_color_range=1)
    difference = np.abs(planes(again)[0].astype(int) - planes(frame)[0].astype(int))
    assert difference.mean() < 1.5
    assert still == encode_still(frame)
    assert len(repr(still)) < 60
    monkeypatch.setattr(jpeg, "BYTES_MAX", len(still.data) - 1)
    assert len(encode_still(frame).data) < len(still.data)
    monkeypatch.setattr(jpeg, "BYTES_MAX", 100)
    with pytest.raises(DeviceError, match="larger than 12 MiB"):
        encode_still(frame)
