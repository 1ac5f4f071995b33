"""What is missing is known before anybody needs it, and nothing waits for a driver that does not answer."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from agent.media import presence
from agent.media.camera import CameraSettings
from agent.media.capture import CaptureSettings
from agent.media.microphone import MicrophoneSettings
from agent.media.presence import microphone_missing, missing_devices

SOUND = MicrophoneSettings("pipewire", "echo-cancel-source")


def missing(camera: CameraSettings) -> dict[str, str]:
    return asyncio.run(missing_devices(CaptureSettings(camera=camera)))


def test_a_camera_that_is_not_there_is_named_with_what_to_do(tmp_path: Path) -> None:
    told = missing(CameraSettings(kind="v4l2", device=str(tmp_path / "video0")))
    assert list(told) == ["camera"]
    assert "Plug the camera in" in told["camera"]


def test_what_is_made_by_code_is_always_there() -> None:
    assert missing(CameraSettings()) == {}


def test_a_driver_that_does_not_answer_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(presence, "camera_abilities", lambda *_asked: over.wait(10))
    monkeypatch.setattr(presence, "ANSWER_WITHIN_S", 0.01)

    async def scenario() -> dict[str, str]:
        told = await missing_devices(CaptureSettings(camera=CameraSettings(kind="v4l2")))
        over.set()
        return told

    assert asyncio.run(scenario()) == {}


def test_a_microphone_needs_pipewire_and_its_door(tmp_path: Path) -> None:
    (tmp_path / "pw-record").touch(mode=0o755)
    there = {"PATH": str(tmp_path), "PIPEWIRE_REMOTE": str(tmp_path / "pipewire-0")}
    assert "Install pipewire-bin" in microphone_missing(SOUND, {"PATH": "/nowhere"})
    assert "PipeWire does not run" in microphone_missing(SOUND, there)
    (tmp_path / "pipewire-0").touch()
    assert microphone_missing(SOUND, there) == ""
    by_user = {"PATH": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)}
    assert microphone_missing(SOUND, by_user) == ""
    assert microphone_missing(MicrophoneSettings("speech"), {}) == ""
