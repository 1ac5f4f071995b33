"""Board profiles: every one that ships loads, and a wrong one is refused with the key's name."""

from __future__ import annotations

from pathlib import Path

import av
import av.video.format
import pytest

from agent.board_media import capture_settings
from agent.media.camera_gate import NO_GATE
from firmware import board as board_module
from firmware.board import BOARDS_FOLDER, V4L2_FORMATS, Board, BoardError, board_names, load_board
from firmware.pins import PinsProfile
from firmware.this_board import ThisBoard

SIM = (BOARDS_FOLDER / "sim.toml").read_text("utf-8")


def written(folder: Path, text: str) -> Path:
    path = folder / "own.toml"
    path.write_text(text, "utf-8")
    return path


def test_every_shipped_profile_loads_and_ends_its_chain_in_the_software_encoder() -> None:
    assert board_names() == ["pi4", "pi5", "sim", "vm", "x86"]
    for name in board_names():
        board = load_board(name)
        assert board.name == name
        assert board.encoders[-1] == "libx264"
        assert 7 < board.screen.diagonal_inch < 33


def test_sim_is_the_default_and_needs_no_hardware() -> None:
    board = load_board()
    assert (board.name, board.camera.kind, board.microphone.kind, board.pins.mock) == (
        "sim",
        "scene",
        "speech",
        True,
    )


def test_cameras_are_made_with_their_sensors_and_the_hand_s_shows_something_else() -> None:
    made = capture_settings(load_board(), None, NO_GATE)
    assert made.hand_camera is not None
    assert (made.camera.sensor, made.camera.motif) == ((2560, 1440), "room")
    assert (made.hand_camera.sensor, made.hand_camera.motif) == ((1920, 1080), "hand")
    plain = capture_settings(load_board("x86"), None, NO_GATE)
    assert (plain.hand_camera, plain.camera.sensor) == (None, None)


def test_raspberry_pi_5_has_no_hardware_encoder() -> None:
    assert load_board("pi4").encoders == ["h264_v4l2m2m", "libx264"]
    assert load_board("pi5").encoders == ["libx264"]


def test_footage_takes_over_picture_and_sound_only(tmp_path: Path) -> None:
    board = load_board("pi4").with_footage(tmp_path / "film.mp4")
    assert (board.camera.kind, board.microphone.kind) == ("file", "file")
    assert board.camera.file == board.microphone.file == str(tmp_path / "film.mp4")
    assert board.encoders == load_board("pi4").encoders


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("frame_rate = 30", "framerate = 30"), r"camera.framerate: unknown key; did you mean frame_rate\?"),
        (("encoders =", "encoder ="), r"encoder: unknown key; did you mean encoders\?"),
        (("help_lamp", "help_led"), r"pins.help_led: unknown key; did you mean help_lamp\?"),
        (("touch = false", "wings = 2"), "screen.wings: unknown key; there are height_mm"),
        (('kind = "scene"', 'kind = "v4l2"'), "a v4l2 camera needs device"),
        (('kind = "scene"', 'kind = "file"'), "a file camera needs file"),
        (('kind = "speech"', 'kind = "file"'), "a file microphone needs file"),
        (("width = 1280", "width = 1281"), "camera.width"),
        (("sensor_width = 2560\n", ""), "sensor_width and sensor_height go together"),
        (("sensor_height = 1440", "sensor_height = 480"), "sensor cannot be smaller"),
        (("[hand_camera]", "[second_camera]"), "second_camera: unknown key"),
        (('encoders = ["libx264"]', "encoders = []"), "encoders"),
        (
            ('encoders = ["libx264"]', 'encoders = ["libx246"]'),
            r"encoders.0: 'libx246' .* did you mean libx264\?",
        ),
        (('encoders = ["libx264"]', 'encoders = ["libx264", "libx264"]'), "one encoder is named twice"),
        (
            ("frame_rate = 30\n", 'frame_rate = 30\npixel_formats = ["mjpg"]\n'),
            r"'mjpg'; did you mean mjpeg\?",
        ),
        (("width_mm = 217.0", "width_mm = 21.7"), "do not fit on 21.7 x 136 mm"),
        (("height_mm = 136.0", "height_mm = 217.0"), "has not the shape of 1280 x 800 pixels"),
        (("height_mm = 136.0", "height_mm = 0"), "screen.height_mm"),
        (("camera_lamp = 17", "camera_lamp = 1"), "camera_lamp: pin 1 is the header's identification EEPROM"),
        (("mock = true", "reserved = [17]"), "camera_lamp: pin 17 is among the reserved ones"),
        (("mock = true", 'chip = "cp2112_gpio"'), "pin 17 is not there; a CP2112 has the lines 0 to 7"),
        (("door_lamp = 27", "door_red = 27"), "door_red and door_green go together"),
        (("door_lamp = 27", "shutter_open = 27"), "shutter_open is the switch of a shutter"),
        (("mute_button = 20\n", ""), "mute_lamp without mute_button"),
        (("door_lamp = 27", "door_lamp = 17"), "one pin is given to two things"),
        (("camera_lamp = 17", "camera_lamp = 99"), "pins.camera_lamp"),
        (("[pins]", "[pins"), "cannot be read"),
    ],
)
def test_a_wrong_profile_is_refused_by_the_name_of_the_key(
    tmp_path: Path, change: tuple[str, str], said: str
) -> None:
    assert change[0] in SIM
    with pytest.raises(BoardError, match=said):
        load_board(written(tmp_path, SIM.replace(*change)))


def test_a_usb_adapter_s_first_lines_can_be_used_and_two_cameras_are_two() -> None:
    assert PinsProfile(chip="cp2112_gpio", camera_lamp=0, help_button=1).given == [0, 1]
    x86 = load_board("x86").model_dump()
    with pytest.raises(ValueError, match="they are two cameras"):
        Board.model_validate({**x86, "hand_camera": x86["camera"]})


def test_every_format_is_one_that_ffmpeg_knows() -> None:
    known = set(av.video.format.names) | set(av.codecs_available)
    assert known >= V4L2_FORMATS


def test_auto_is_the_board_that_this_machine_says_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board_module, "this_board", lambda: ThisBoard("pi4", "it says so"))
    assert load_board("auto").name == "pi4"
    monkeypatch.setattr(board_module, "this_board", lambda: ThisBoard("", "it says nothing"))
    with pytest.raises(BoardError, match="it says nothing; choose one of pi4"):
        load_board("auto")


def test_an_unknown_board_names_those_there_are() -> None:
    with pytest.raises(BoardError, match=r"did you mean pi5\? choose one of pi4, pi5, sim, vm, x86"):
        load_board("pi6")


def test_a_profile_cannot_be_changed_after_loading() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_board().name = "other"  # type: ignore[misc]


def test_the_screen_knows_its_diagonal_and_density() -> None:
    screen = load_board("pi5").screen
    assert screen.diagonal_inch == pytest.approx(15.55, abs=0.01)
    assert screen.px_per_mm == pytest.approx(5.58, abs=0.01)
