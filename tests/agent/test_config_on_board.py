"""A board with what the region has set, and what only the unit can refuse."""

from __future__ import annotations

import pytest

from agent.board_media import capture_settings
from agent.config_on_board import board_with, what_is_wrong_here
from agent.contract.unit_config import Config, Devices, PanelPins, ScreenSize
from agent.media.camera_gate import NO_GATE
from firmware.board import load_board

PI, SIM = load_board("pi5"), load_board("sim")


def test_nothing_set_is_the_profile():
    empty = Config(devices=Devices(), panel=PanelPins())
    assert board_with(PI, Config()) == PI == board_with(PI, empty)


def test_devices_reach_capture_and_sound():
    devices = Devices(
        camera="/dev/video2", hand_camera="/dev/video4", microphone="jabra", loudspeaker="alsa_output.usb"
    )
    board = board_with(SIM, Config(devices=devices))
    captured = capture_settings(board, None, NO_GATE)
    assert (captured.camera.kind, captured.camera.device, captured.camera.sensor) == (
        "v4l2",
        "/dev/video2",
        None,
    )
    assert captured.hand_camera.device == "/dev/video4"
    assert (captured.microphone.kind, captured.microphone.target) == ("pipewire", "jabra")
    assert board.loudspeaker.outputs["loudspeaker"] == "alsa_output.usb"
    assert board.loudspeaker.outputs["headphones"] == SIM.loudspeaker.outputs["headphones"]


def test_screen_and_pins():
    config = Config(
        screen=ScreenSize(width_mm=210.0, height_mm=131.0), panel=PanelPins(buzzer=-1, door_lamp=5)
    )
    board = board_with(SIM, config)
    assert (board.screen.width_mm, board.screen.width_px) == (210, 1280)
    assert (board.pins.buzzer, board.pins.door_lamp, board.pins.camera_lamp) == (None, 5, 17)


@pytest.mark.parametrize(
    ("field", "config"),
    [
        ("panel", Config(panel=PanelPins(door_lamp=17))),  # the profile's camera lamp has it
        ("screen", Config(screen=ScreenSize(width_mm=1900.0, height_mm=1200.0))),
        ("screen", Config(screen=ScreenSize(width_mm=217.0, height_mm=200.0))),
        ("languages", Config(languages=())),
    ],
)
def test_what_this_board_cannot_have_is_refused_at_its_field(field, config):
    assert [name for name, _ in what_is_wrong_here(SIM, config)] == [field]


def test_what_it_can_have_is_not():
    assert what_is_wrong_here(SIM, Config(panel=PanelPins(door_lamp=5))) == ()
    assert what_is_wrong_here(SIM, Config(screen=ScreenSize(width_mm=217.0, height_mm=136.0))) == ()
