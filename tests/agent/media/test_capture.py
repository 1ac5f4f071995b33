"""A whole capture, small: opened and closed together, one encode for all, devices switched off."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import av
import pytest

from agent.media.camera import CameraSettings
from agent.media.capture import Capture, CaptureSettings
from agent.media.device import DeviceError
from agent.media.microphone import SILENCE_DBFS, MicrophoneSettings
from agent.media.source import EncodedFrame
from tests.agent.media.lamp_gate import LampGate

SMALL = CameraSettings(width=320, height=180, frame_rate=30)
THREADS = {"camera", "microphone", "encoder-H264", "encoder-VP8"}


async def until(condition: Callable[[], bool], limit_s: float = 8.0) -> None:
    limit = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < limit, "it never came about"
        await asyncio.sleep(0.005)


def our_threads() -> set[str]:
    return {thread.name for thread in threading.enumerate()} & THREADS


def test_a_session_s_capture_from_open_to_close() -> None:
    async def scenario() -> None:
        lamp: list[bool] = []
        levels: list[float] = []
        capture = Capture(
            asyncio.get_running_loop(),
            CaptureSettings(camera=replace(SMALL, gate=LampGate(lamp))),
            on_level=levels.append,
        )
        await capture.open()
        pictures: list[EncodedFrame] = []
        others: list[EncodedFrame] = []
        sounds: list[EncodedFrame] = []
        capture.video.subscribe(pictures.append)
        capture.video.subscribe(others.append)
        capture.audio.subscribe(sounds.append)
        await until(lambda: len(pictures) >= 5 and len(sounds) >= 5 and len(levels) > 0)
        assert pictures == others
        assert capture.stats().frames_encoded - len(pictures) in (0, 1)  # one may be on its way
        assert capture.stats().frames_encoded_vp8 == 0
        assert "encoder-VP8" not in our_threads()
        assert lamp == [True]

        capture.set_microphone(False)
        await until(lambda: capture.stats().level_dbfs == SILENCE_DBFS)
        capture.set_camera(False)
        await until(lambda: lamp == [True, False])
        dark = len(pictures)
        await until(lambda: len(pictures) > dark)
        assert not capture.stats().camera_open

        fallback: list[EncodedFrame] = []
        capture.video_vp8.subscribe(fallback.append)
        capture.set_camera(True)
        await until(lambda: len(fallback) >= 3 and lamp == [True, False, True])
        assert fallback[0].keyframe
        decoder = av.CodecContext.create("vp8", "r")
        assert decoder.decode(av.Packet(fallback[0].payload))[0].width == 320
        await capture.close()
        await capture.close()
        await until(lambda: lamp == [True, False, True, False])
        assert our_threads() == set()

    asyncio.run(scenario())


def test_a_missing_film_is_told_and_nothing_is_left_open(tmp_path: Path) -> None:
    async def scenario() -> None:
        lamp: list[bool] = []
        settings = CaptureSettings(
            CameraSettings(kind="file", file=tmp_path / "gone.mp4", gate=LampGate(lamp)),
            MicrophoneSettings(kind="speech"),
        )
        capture = Capture(asyncio.get_running_loop(), settings)
        with pytest.raises(DeviceError, match=r"gone\.mp4"):
            await capture.open()
        await until(lambda: lamp == [True, False])
        assert our_threads() == set()

    asyncio.run(scenario())


def test_a_film_s_picture_and_sound_share_one_clock(film: Path) -> None:
    async def scenario() -> None:
        settings = CaptureSettings(
            CameraSettings(kind="file", file=film, width=160, height=96),
            MicrophoneSettings(kind="file", file=film),
        )
        capture = Capture(asyncio.get_running_loop(), settings)
        await capture.open()
        pictures: list[EncodedFrame] = []
        sounds: list[EncodedFrame] = []
        capture.video.subscribe(pictures.append)
        capture.audio.subscribe(sounds.append)
        await until(lambda: len(pictures) > 3 and len(sounds) > 3)
        await capture.close()
        for frames, rate in ((pictures, 90_000), (sounds, 48_000)):
            assert all(abs(frame.captured_at - frame.timestamp / rate) < 0.12 for frame in frames)
        assert capture.stats().camera_fault is None
        assert capture.stats().microphone_fault is None

    asyncio.run(scenario())
