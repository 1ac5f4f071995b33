"""The unit's own commands, and which side a command belongs to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent import cli, console
from agent.contract.status import EncoderReport
from agent.media import camera_cost, encoder_probe
from agent.media.device import DeviceError
from agent.media.encoder_probe import ProbeResult
from agent.media.v4l2 import CameraAbilities, CameraMode

RESULTS = [
    ProbeResult("h264_v4l2m2m", False, "it cannot be opened (no device)", 0.0),
    ProbeResult("libx264", True, "", 2.5, 13.3),
]


@pytest.fixture(autouse=True)
def _as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli.os, "setpriority", lambda *_: None)  # or the rest of the tests would run at 10
    monkeypatch.setattr(cli.logging, "disable", lambda: None)
    monkeypatch.setattr(encoder_probe, "probe_encoders", lambda *_: RESULTS)
    monkeypatch.setattr(camera_cost, "measured_costs_ms", lambda: {"mjpeg": 6.0, "yuyv422": 0.5})


def test_encoders_are_told_with_their_speed_and_why_one_is_not_used(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["encoders", "--board", "pi4"]) == 0
    said = capsys.readouterr().out
    assert "* libx264        13.3 ms a picture, 2.5 times real time" in said
    assert "h264_v4l2m2m   not used: it cannot be opened (no device)" in said


def test_encoders_as_json_are_what_the_contract_takes(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["encoders", "--board", "pi4", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["board"], told["encoder"]) == ("pi4", "libx264")
    assert told["camera_costs_ms"]["mjpeg"] == 6.0
    assert [EncoderReport.model_validate(each).ok for each in told["encoders"]] == [False, True]


def test_no_encoder_at_all_is_exit_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(encoder_probe, "probe_encoders", lambda *_: RESULTS[:1])
    assert cli.main(["encoders", "--board", "pi4"]) == 1
    assert "can send no picture" in capsys.readouterr().out


def test_a_camera_that_is_not_there_and_an_unknown_board_say_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(device: str, *_: int) -> object:
        raise DeviceError(f"camera {device}", "No such file or directory", "Plug the camera in")

    monkeypatch.setattr("agent.media.v4l2.camera_abilities", missing)
    assert cli.main(["camera", "--board", "pi4"]) == 1
    assert "Plug the camera in" in capsys.readouterr().err
    assert cli.main(["camera", "--board", "pi9"]) == 2
    assert "choose one of" in capsys.readouterr().err


def test_the_settings_name_the_board_where_there_are_any(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "unit.toml"
    keys = 'state_dir="s"\nca_file="a"\ncertificate_file="b"\nkey_file="c"\n'
    file.write_text(f'board = "pi5"\n{keys}')
    assert cli.main(["encoders", "--config", str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["board"] == "pi5"


def test_the_camera_s_forms_are_told_with_the_one_that_is_taken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    modes = (CameraMode("YUYV", 1280, 720, 10.0), CameraMode("MJPG", 1280, 720, 30.0))
    webcam = CameraAbilities("HD Webcam", "usb-1", modes)
    monkeypatch.setattr("agent.media.v4l2.camera_abilities", lambda *_: webcam)
    assert cli.main(["camera", "--board", "pi4"]) == 0
    said = capsys.readouterr().out
    assert "* MJPG 1280x720 at 30 frames/s, decoded: 5.5 ms a picture" in said
    assert "YUYV 1280x720 at 10 frames/s, converted: 0.5 ms a picture; less than what is asked for" in said
    assert cli.main(["camera", "--board", "pi4", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [path["fourcc"] for path in told["paths"]] == ["MJPG", "YUYV"]


@pytest.mark.parametrize(
    ("arguments", "side"),
    [
        (["encoders", "--json"], "unit"),
        (["--json", "camera"], "unit"),
        (["unit", "list"], "region"),
        ([], "region"),
    ],
)
def test_a_command_goes_to_the_side_it_is_about(
    arguments: list[str], side: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, list[str]]] = []
    monkeypatch.setattr("agent.cli.main", lambda given: asked.append(("unit", given)) or 0)
    monkeypatch.setattr("provisioning.cli.main", lambda given: asked.append(("region", given)))
    if side == "unit":
        with pytest.raises(SystemExit) as ended:
            console.main(arguments)
        assert ended.value.code == 0
    else:
        console.main(arguments)
    assert asked == [(side, arguments)]
