"""Encoders are tried with real pictures: which are passed over, which are refused and why."""

from __future__ import annotations

import gc
import itertools
import weakref

import pytest
from av import VideoFrame

from agent.media import encoder_probe
from agent.media.encoder_probe import in_order_of_use, probe_encoders
from agent.media.pixels import blank
from agent.media.video_codec import ENCODERS, EncoderKind, OpenEncoder, PictureForm, open_encoder


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


def test_a_large_picture_is_tried_with_as_many_bits_as_it_needs() -> None:
    """With those of 1280x720 a sound encoder's 2560x1440 was another picture than the one that went in."""
    opened_for: list[PictureForm] = []

    def remembers(kind: EncoderKind, form: PictureForm, bit_rate: int) -> OpenEncoder:
        opened_for.append(form)
        raise ValueError("seen enough")

    for size in ((640, 360), (1280, 720), (2560, 1440)):
        probe_encoders(["libx264"], *size, 30, remembers)
    assert [form.max_bit_rate for form in opened_for] == [883_883, 1_500_000, 4_242_641]


def test_an_encoder_that_refuses_leaves_nothing_in_memory_but_its_reason() -> None:
    held: list[weakref.ref[Exception]] = []

    class Refuses(ValueError):
        def __init__(self) -> None:
            super().__init__("no such device")
            held.append(weakref.ref(self))

    def opener(*_: object) -> OpenEncoder:
        raise Refuses

    gc.disable()  # what waits for it holds a board's memory for minutes
    try:
        (result,) = probe_encoders(["libx264"], 320, 180, 30, opener)
        assert [each() for each in held] == [None] * len(held) != []
    finally:
        gc.enable()
    assert result.reason == "it cannot be opened (no such device)"
