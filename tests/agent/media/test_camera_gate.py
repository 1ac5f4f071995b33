"""No camera is opened past its gate: whichever it is, whoever opens it, and however it fails."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from agent.board_media import capture_settings
from agent.media.camera import CameraSettings, make_camera
from agent.media.device import DeviceError
from agent.media.footage import Footage
from firmware.board import load_board
from tests.agent.media.lamp_gate import LampGate

SMALL = CameraSettings(width=160, height=90, frame_rate=30)


@pytest.mark.parametrize("kind", ["scene", "v4l2", "file"])
def test_the_lamp_is_lit_before_the_camera_opens_and_goes_out_once_after_it_closed(
    kind: str, tmp_path: Path
) -> None:
    lamp: list[bool] = []
    none = tmp_path / "none"
    settings = replace(SMALL, kind=kind, device=str(none), gate=LampGate(lamp))
    camera = make_camera(settings, Footage(none) if kind == "file" else None)
    assert lamp == []
    try:
        camera.open()
        assert camera.read().frame.width == 160
    except DeviceError:
        assert kind != "scene"
    assert lamp == [True]
    camera.close()
    camera.close()
    assert lamp == [True, False]
    assert camera.path == ""


def test_a_camera_that_is_opened_twice_lights_once() -> None:
    lamp: list[bool] = []
    camera = make_camera(replace(SMALL, gate=LampGate(lamp)))
    camera.open()
    camera.open()
    camera.close()
    assert lamp == [True, False]


def test_every_camera_of_a_board_has_the_room_s_gate() -> None:
    gate = LampGate([])
    made = capture_settings(load_board("sim"), None, gate)
    assert made.hand_camera is not None
    assert made.camera.gate is made.hand_camera.gate is gate


def test_cameras_are_made_in_one_place_alone() -> None:
    """What opens a device itself would pass the gate."""
    folder = Path(__file__).parents[3] / "agent"
    makers = {"SceneCamera(", "FileCamera(", "V4l2Camera(", 'format="v4l2"'}
    found = {
        path.name
        for path in folder.rglob("*.py")
        if any(maker in path.read_text("utf-8") for maker in makers)
    }
    assert found == {"camera.py"}
