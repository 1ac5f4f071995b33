"""What a second of pictures is judged to be: one thing at a time, the gravest first."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agent.media import camera_probe
from agent.media.camera import CameraSettings
from agent.media.camera_gate import GatedCamera
from agent.media.camera_probe import Watched, watch, watch_open
from agent.media.device import DeviceError, RawPicture
from agent.media.picture_look import PictureLook
from agent.media.pixels import blank, planes
from agent.media.scene import Scene
from agent.media.usual_view import View
from agent.probes.camera_verdict import judge
from tests.agent.media.lamp_gate import LampGate

WELL = PictureLook(light=110, structure=60, dark=0.02, bright=0.03, sharpness=0.6, behind=20)
VIEW: View = tuple(range(-16, 16)) * 2
OTHER: View = tuple(reversed(VIEW))
SEEN = Watched(rate=30.0, stands_still=False, look=WELL, moved=0.0, view=VIEW)


def seen(**look):
    return replace(SEEN, look=replace(WELL, **look))


@pytest.mark.parametrize(
    ("watched", "instruction"),
    [
        (SEEN, ""),
        (replace(SEEN, stands_still=True), "camera_frozen"),
        (replace(SEEN, rate=12.0), "camera_slow"),
        (seen(structure=1.2, light=17), "camera_covered"),
        (seen(structure=1.2, light=130), "camera_covered"),
        (seen(structure=9, light=30), "camera_dark"),
        (seen(light=222), "camera_bright"),
        (seen(bright=0.5), "camera_bright"),
        (seen(sharpness=0.22), "camera_blurred"),
        (seen(sharpness=None), "camera_blurred"),
        (replace(SEEN, view=OTHER), "camera_turned"),
        (replace(SEEN, view=OTHER, moved=0.3), ""),
        (replace(seen(structure=1.0, sharpness=0.1), view=OTHER), "camera_covered"),
        (replace(seen(light=30, sharpness=0.1), view=OTHER), "camera_dark"),
    ],
)
def test_one_thing_is_said_the_gravest_first(watched, instruction):
    assert judge(watched, 30, VIEW, at_night=False).instruction == instruction


def test_at_night_a_dark_room_is_none_of_the_cameras_faults_and_a_still_one_is():
    assert judge(seen(structure=1.0, light=18), 30, VIEW, at_night=True).ok
    assert judge(replace(SEEN, stands_still=True), 30, VIEW, at_night=True).instruction == "camera_frozen"
    assert judge(seen(structure=1.0, light=130), 30, VIEW, at_night=True).instruction == "camera_covered"


def test_a_camera_that_exposes_for_longer_in_the_dark_is_not_slow():
    night = replace(seen(light=30, structure=9), rate=10.0)
    assert judge(night, 30, VIEW, at_night=True).ok
    assert judge(night, 30, VIEW, at_night=False).instruction == "camera_dark"


def test_a_camera_that_gives_black_the_same_each_time_is_covered_and_at_night_well():
    black = replace(seen(light=16, structure=0.0, sharpness=None), stands_still=True)
    assert judge(black, 30, VIEW, at_night=False).instruction == "camera_covered"
    assert judge(black, 30, VIEW, at_night=True).ok


class Brightening:
    """A camera whose own control of light takes a second and more from black to the room."""

    sensor = (320, 180)
    room = planes(Scene(320, 180).draw(0.0, 0.0))[0]

    def __init__(self, tick_s=1 / 30, late_s=0.0) -> None:
        self.given, self.tick_s, self.late_s = 0, tick_s, late_s

    def read(self):
        self.given += 1
        frame = blank(320, 180)
        light = min(1.0, self.given / 40)
        grain = np.random.default_rng(self.given).integers(0, 3, self.room.shape)
        planes(frame)[0][:] = 16 + (self.room - 16) * light + grain
        late_s = self.late_s if self.given > 5 else 0.0
        return RawPicture(frame, self.given * self.tick_s + late_s)


def test_a_camera_is_not_called_dark_before_its_light_has_settled():
    camera = Brightening()
    watched = watch_open(GatedCamera(camera, LampGate([])), lambda works=True: None)
    assert watched is not None and camera.given >= 42
    assert judge(watched, 30, None, at_night=False).ok


@pytest.mark.parametrize(
    ("tick_s", "late_s", "rate"), [(1 / 30, 0.0, 30), (1 / 30, 1.5, 30), (1 / 12, 0.0, 12)]
)
def test_a_moment_without_pictures_makes_no_camera_slow(tick_s, late_s, rate):
    camera = GatedCamera(Brightening(tick_s, late_s), LampGate([]))
    watched = watch_open(camera, lambda works=True: None)
    assert watched is not None and watched.rate == pytest.approx(rate)


def test_without_a_usual_view_no_camera_is_turned():
    assert judge(replace(SEEN, view=OTHER), 30, None, at_night=False).ok


def test_the_drawn_room_is_well_and_its_lamp_goes_on_and_off(monkeypatch):
    monkeypatch.setattr(camera_probe, "PICTURES", 14)
    lamp: list[bool] = []
    settings = CameraSettings(width=320, height=180, frame_rate=30, gate=LampGate(lamp))
    watched = watch(settings)
    assert watched is not None and not watched.stands_still and len(watched.view) == 64
    assert judge(replace(watched, rate=30.0), 30, watched.view, at_night=False).ok
    assert lamp == [True, False]


def test_a_test_that_is_stopped_gives_the_camera_back():
    lamp: list[bool] = []
    assert watch(CameraSettings(width=320, height=180, gate=LampGate(lamp)), lambda: True) is None
    assert lamp[-1:] != [True]


def test_a_camera_that_is_not_there_says_so(tmp_path):
    settings = CameraSettings(kind="file", file=tmp_path / "gone.mp4", gate=LampGate([]))
    with pytest.raises(DeviceError):
        watch(settings)
