"""A whole capture, small: each device opened by itself, one encode for all, devices switched off."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from agent.media import camera_thread, sound
from agent.media import capture as capture_module
from agent.media.camera import CameraSettings
from agent.media.capture import Capture, CaptureSettings
from agent.media.device import DeviceError, RawSound
from agent.media.microphone import FRAME_SAMPLES, SILENCE_DBFS, MicrophoneSettings
from agent.media.source import EncodedFrame
from tests.agent.media.lamp_gate import LampGate

SMALL = CameraSettings(width=320, height=180, frame_rate=30)
THREADS = {"camera", "microphone", "microphone-opens", "encoder-H264", "encoder-VP8"}


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


def test_a_missing_film_is_told_costs_nothing_else_and_is_played_when_it_is_there(
    tmp_path: Path, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(camera_thread, "RETRY_S", 0.05)

    async def scenario() -> None:
        lamp: list[bool] = []
        path = tmp_path / "gone.mp4"
        settings = CaptureSettings(
            CameraSettings(kind="file", file=path, width=160, height=96, gate=LampGate(lamp)),
            MicrophoneSettings(kind="speech"),
        )
        capture = Capture(asyncio.get_running_loop(), settings)
        await capture.open()
        assert "gone.mp4" in str(capture.stats().camera_fault)
        pictures, sounds = list[EncodedFrame](), list[EncodedFrame]()
        capture.video.subscribe(pictures.append)
        capture.audio.subscribe(sounds.append)
        await until(lambda: len(pictures) > 0 and capture.stats().level_dbfs > -60 and len(sounds) > 3)
        assert capture.stats().microphone_fault is None
        path.write_bytes(film.read_bytes())
        dark = len(pictures)
        await until(lambda: capture.stats().camera_fault is None and len(pictures) > dark)
        await capture.close()
        assert our_threads() == set()
        assert lamp[-1] is False

    asyncio.run(scenario())


class NoMicrophone:
    """Gives nothing, at once or ever; or comes back."""

    missing = None

    def __init__(self, answers: bool) -> None:
        self.answers = answers
        self.there = threading.Event()

    def open(self) -> None:
        if self.answers and not self.there.is_set():
            raise DeviceError("microphone", "it gives no sound", "Check its cable")
        self.there.wait(5)

    def read(self) -> RawSound:
        time.sleep(0.01)
        return RawSound(np.full(FRAME_SAMPLES, 9000, np.int16), time.monotonic())

    def close(self) -> None: ...


@pytest.mark.parametrize("answers", [True, False])
@pytest.mark.parametrize("camera", ["there", "missing"])
def test_a_call_opens_without_sound_and_even_without_picture_and_gets_them_later(
    answers: bool, camera: str, tmp_path: Path, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(camera_thread, "RETRY_S", 0.05)
    monkeypatch.setattr(sound, "RETRY_S", 0.05)
    monkeypatch.setattr(capture_module, "OPEN_PATIENCE_S", 0.1)
    microphone, path = NoMicrophone(answers), tmp_path / "film.mp4"
    monkeypatch.setattr(capture_module, "make_microphone", lambda *_: microphone)
    if camera == "there":
        path.write_bytes(film.read_bytes())

    async def scenario() -> None:
        form = CameraSettings(kind="file", file=path, width=160, height=96)
        capture = Capture(asyncio.get_running_loop(), CaptureSettings(form))
        await capture.open()
        sounds = list[EncodedFrame]()
        capture.audio.subscribe(sounds.append)
        await until(lambda: len(sounds) > 10)
        stats = capture.stats()
        assert (stats.microphone_fault is not None) is answers  # who has not answered has not failed
        assert (stats.camera_fault is not None) is (camera == "missing")
        assert stats.level_dbfs == SILENCE_DBFS
        microphone.there.set()
        path.write_bytes(film.read_bytes())
        await until(lambda: capture.stats().level_dbfs > -20)
        await until(lambda: (capture.stats().microphone_fault, capture.stats().camera_fault) == (None, None))
        await capture.close()
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
