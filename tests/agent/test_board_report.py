"""What is asked for, found and chosen: of a whole machine and of one where things are missing."""

from __future__ import annotations

import json

import pytest

from agent import cli_board, console
from agent.board_report import Asked, CameraAnswer, EncoderAnswer, SoundAnswer, findings, what_is_missing
from agent.cli_board import sound_nodes
from firmware.board import load_board
from firmware.found import ConnectedScreen, Found, GpioChip, Interface

PI = load_board("pi5")
WHOLE = Asked(
    Found(
        cameras=(("/dev/video0", "uvcvideo"),),
        screens=(ConnectedScreen("HDMI-A-1", 1920, 1080, 344, 194),),
        touch=("/dev/input/event3 Touch",),
        gpio=(GpioChip(0, "pinctrl-rp1", 54),),
        network=(Interface("eth0", True, False),),
    ),
    {"/dev/video0": CameraAnswer("HD Webcam", ("MJPG (mjpeg) 1280x720 at 30/s",), "MJPG 1280x720")},
    (EncoderAnswer("libx264", True, "3.7 ms a picture, 8.9 times real time"),),
    SoundAnswer(("echo-cancel-source",), ("echo-cancel-sink",)),
)
BARE = Asked(
    Found(cameras=(("/dev/video2", "uvcvideo"),)),
    {"/dev/video0": CameraAnswer(problem="camera /dev/video0: No such file. Plug the camera in.")},
    (EncoderAnswer("libx264", False, "it cannot be opened"),),
    SoundAnswer(("alsa_input.usb",), ()),
)


def by_part(board, asked):
    return {finding.part: finding for finding in findings(board, asked)}


def test_a_whole_machine_misses_nothing_and_says_what_is_taken():
    found = by_part(PI, WHOLE)
    assert what_is_missing(tuple(found.values())) == ()
    assert found["camera"].taken == "HD Webcam: MJPG 1280x720"
    assert "MJPG (mjpeg) 1280x720 at 30/s" in "".join(found["camera"].found)
    assert found["encoder"].taken.startswith("libx264 (the first")
    assert found["panel"].taken == "/dev/gpiochip0 (pinctrl-rp1)"
    assert not any(finding.advice for finding in found.values())


def test_each_missing_part_is_named_with_what_to_do():
    found = by_part(PI, BARE)
    missing = ("camera", "encoder", "microphone", "loudspeaker", "screen", "touch", "panel", "network")
    assert what_is_missing(tuple(found.values())) == missing
    assert all(found[part].advice for part in missing)
    assert "Or take /dev/video2" in found["camera"].advice
    assert "there are alsa_input.usb" in found["microphone"].advice
    assert "none at all" in found["loudspeaker"].advice


def test_a_screen_of_another_size_and_an_output_that_is_gone_are_told():
    other = ConnectedScreen("HDMI-A-1", 1920, 1080, 510, 290)
    asked = Asked(Found(screens=(other,)), WHOLE.cameras, WHOLE.encoders, WHOLE.sound)
    assert "says 510 x 290 mm" in by_part(PI, asked)["screen"].advice
    speaker = PI.loudspeaker.model_copy(update={"outputs": {"headphones": "alsa_output.usb"}})
    told = by_part(PI.model_copy(update={"loudspeaker": speaker}), WHOLE)["loudspeaker"]
    assert (told.standing, "alsa_output.usb" in told.advice) == ("missing", True)


def test_sim_needs_nothing():
    empty = Asked(Found(), encoders=WHOLE.encoders, sound=SoundAnswer(problem="no PipeWire"))
    assert what_is_missing(findings(load_board("sim"), empty)) == ()


def test_pipewire_s_nodes_by_name():
    nodes = [
        {"type": "PipeWire:Interface:Node", "info": {"props": {"media.class": kind, "node.name": name}}}
        for kind, name in (("Audio/Source", "mic"), ("Audio/Sink", "out"), ("Stream/Output/Audio", "x"))
    ]
    dump = json.dumps([*nodes, {"type": "PipeWire:Interface:Core"}]).encode()
    assert sound_nodes(dump) == SoundAnswer(("mic",), ("out",))
    for broken in (b"", b"[1]", b"{}x"):
        assert "cannot be read" in sound_nodes(broken).problem


def test_the_command_says_it_as_json_and_by_its_exit_status(monkeypatch, capsys):
    asked = iter((WHOLE, BARE))
    monkeypatch.setattr(cli_board, "ask_machine", lambda _board: next(asked))
    for status in (0, 1):
        with pytest.raises(SystemExit) as ended:
            console.main(["board", "--board", "pi5", "--json"])
        told = json.loads(capsys.readouterr().out)
        assert (ended.value.code, bool(told["missing"]), told["board"]) == (status, bool(status), "pi5")


def test_a_profile_that_cannot_be_used_is_exit_2_and_words(capsys, tmp_path):
    profile = tmp_path / "own.toml"
    profile.write_text("encoder = []")
    assert cli_board.main(["board", "--board", str(profile)]) == 2
    assert "encoder: unknown key; did you mean encoders?" in capsys.readouterr().err
