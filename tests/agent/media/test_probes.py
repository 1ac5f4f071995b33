"""The room's self-test: what works is told with its figure, what does not with an instruction."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest
from av import VideoFrame

from agent.media import encoder_probe, probes
from agent.media.device import DeviceError, RawSound
from agent.media.encoder_probe import in_order_of_use, probe_encoders
from agent.media.microphone import MicrophoneSettings
from agent.media.pixels import blank
from agent.media.probes import probe_microphone
from agent.media.video_codec import ENCODERS, EncoderKind, OpenEncoder, PictureForm, open_encoder


class DeadMicrophone:
    """Open, and digitally silent; or not to be opened at all."""

    def __init__(self, error: DeviceError | None = None) -> None:
        self._error = error

    def open(self) -> None:
        if self._error:
            raise self._error

    def read(self) -> RawSound:
        return RawSound(np.zeros(960, np.int16), time.monotonic())

    def close(self) -> None:
        """Nothing to give back."""


def test_a_silent_and_a_missing_microphone_fail_with_an_instruction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "MICROPHONE_LIMIT_S", 0.02)
    monkeypatch.setattr(probes, "make_microphone", lambda *_: DeadMicrophone())
    outcome = probe_microphone(MicrophoneSettings())
    assert (outcome.ok, outcome.figure) == (False, -100.0)
    assert "check its cable" in outcome.reason
    error = DeviceError("microphone", "it is not there", "Plug it in")
    monkeypatch.setattr(probes, "make_microphone", lambda *_: DeadMicrophone(error))
    assert "Plug it in" in probe_microphone(MicrophoneSettings()).reason


def test_encoders_that_are_not_there_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = itertools.count(step=0.01)
    monkeypatch.setattr(encoder_probe.time, "thread_time", lambda: next(ticks))
    results = probe_encoders(["h264_v4l2m2m", "libx264", "libvpx"], 320, 180, 30)
    assert [(result.name, result.ok) for result in results] == [
        ("h264_v4l2m2m", False),
        ("libx264", True),
        ("libvpx", True),
    ]
    assert "cannot be opened" in results[0].reason
    assert results[1].speed_ratio == pytest.approx(1 / 0.01 / 30)
    assert results[1].picture_ms == pytest.approx(10.0)
    assert in_order_of_use(results) == ("libx264", "libvpx", "h264_v4l2m2m")


class Green:
    """An encoder with a fault seen on real hardware: it encodes, quickly, another picture."""

    bit_rate: int | None = 0

    def __init__(self, inner: OpenEncoder) -> None:
        self._inner = inner

    def encode(self, frame: VideoFrame | None = None) -> list[object]:
        assert frame is not None
        other = blank(frame.width, frame.height, luma=60)
        other.pts, other.time_base, other.pict_type = frame.pts, frame.time_base, frame.pict_type
        return list(self._inner.encode(other))


def opened(kind: EncoderKind, form: PictureForm, bit_rate: int) -> OpenEncoder:
    return Green(open_encoder(ENCODERS["libx264"], form, bit_rate))  # type: ignore[return-value]


def test_another_picture_out_than_in_and_a_slow_encoder_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    (result,) = probe_encoders(["libx264"], 320, 180, 30, opened)
    assert (result.ok, result.reason) == (False, "its output is another picture than the one that went in")
    ticks = itertools.count(step=0.8)
    monkeypatch.setattr(encoder_probe.time, "thread_time", lambda: next(ticks))
    (slow,) = probe_encoders(["libx264"], 320, 180, 30)
    assert (slow.ok, slow.is_slow, slow.reason) == (False, True, "too slow: 0.04 of real time")
