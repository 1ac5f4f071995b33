"""A code held up in a film is read through the whole path: film, camera thread, reader's process."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from agent.media import qr_reader
from agent.media.camera import CameraSettings
from agent.media.capture import CaptureSettings
from agent.media.device import DeviceError
from agent.media.facts import CallSettings
from agent.media.scan_camera import ScanCamera
from tests.agent.media.lamp_gate import LampGate
from tests.system.qr_film import Held, link, make_film

TOKEN = "0123456789abcdef" * 2


def test_a_code_in_a_film_is_read_and_the_camera_is_closed_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(qr_reader, "INTERVAL_S", 0.02)
    film = tmp_path / "film.mp4"
    make_film(film, link(TOKEN), Held(turned=10, tilted=15), empty_s=0.2, held_s=0.8)

    async def scenario() -> None:
        lamp: list[bool] = []
        texts: list[str] = []
        settings = CaptureSettings(camera=CameraSettings(kind="file", file=film, gate=LampGate(lamp)))
        camera = ScanCamera(settings, CallSettings(), on_text=texts.append)
        await camera.open()
        limit = time.monotonic() + 20
        while not texts:
            assert time.monotonic() < limit, "the code was not read"
            await asyncio.sleep(0.01)
        await camera.close()
        await asyncio.sleep(0)
        assert set(texts) == {link(TOKEN)}
        assert lamp == [True, False]

    asyncio.run(scenario())


def test_a_film_that_is_not_there_is_a_device_error_and_can_be_closed(tmp_path: Path) -> None:
    async def scenario() -> None:
        settings = CaptureSettings(camera=CameraSettings(kind="file", file=tmp_path / "none.mp4"))
        camera = ScanCamera(settings, CallSettings(), on_text=print)
        with pytest.raises(DeviceError):
            await camera.open()
        await camera.close()

    asyncio.run(scenario())
