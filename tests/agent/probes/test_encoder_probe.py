"""Which encoder is chosen, and what is said when none is fast enough or none works."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from agent.media import encoder_probe
from agent.media.camera import CameraSettings
from agent.media.capture import CaptureSettings
from agent.media.encoder_probe import ProbeResult
from agent.media.video_codec import open_encoder
from agent.probes.encoder import EncoderProbe, judged
from agent.selftest import Context

GONE = ProbeResult("h264_v4l2m2m", False, "it cannot be opened (no such device)", 0.0)
WORKS = ProbeResult("libx264", True, "", 6.5)
BARELY = ProbeResult("libx264", True, "", 1.1)
TOO_SLOW = ProbeResult("libx264", False, "too slow: 0.60 of real time", 0.6, is_slow=True)


@pytest.mark.parametrize(
    ("results", "instruction", "figure"),
    [
        ([GONE, WORKS], "", 6.5),
        ([GONE, BARELY], "encoder_slow", 1.1),
        ([GONE, TOO_SLOW], "encoder_slow", 0.6),
        ([GONE], "encoder", 0.0),
    ],
)
def test_the_first_that_works_is_judged_by_its_pace(results, instruction, figure):
    verdict = judged(results)
    assert (verdict.instruction, verdict.figure) == (instruction, figure)
    assert verdict.unit.endswith("(libx264)") is (figure > 0)


def test_it_is_tried_with_real_pictures_in_the_boards_order(monkeypatch):
    ticks = itertools.count(step=0.01)
    monkeypatch.setattr(encoder_probe.time, "thread_time", lambda: next(ticks))
    settings = CaptureSettings(
        camera=CameraSettings(width=320, height=180), encoders=("h264_v4l2m2m", "libx264")
    )
    (verdict,) = asyncio.run(EncoderProbe(lambda: settings).run(Context()))
    assert (verdict.ok, verdict.unit) == (True, "x real time (libx264)")
    assert verdict.figure == pytest.approx(1 / 0.01 / 30)


def test_when_none_opens_the_reason_names_each():
    def refuses(*_):
        raise ValueError("no such encoder")

    settings = CaptureSettings(camera=CameraSettings(width=320, height=180), encoders=("libx264",))
    (verdict,) = asyncio.run(EncoderProbe(lambda: settings, refuses).run(Context()))
    assert (verdict.instruction, verdict.level) == ("encoder", "fail")
    assert verdict.reason.startswith("no encoder works: libx264: ")


def test_it_gives_way_before_the_next_picture_and_says_nothing():
    context, opened = Context(), []

    def opener(*asked):
        opened.append(asked)
        context.stopped.set()
        return open_encoder(*asked)

    settings = CaptureSettings(camera=CameraSettings(width=320, height=180), encoders=("libx264", "libvpx"))
    assert asyncio.run(EncoderProbe(lambda: settings, opener).run(context)) is None
    assert len(opened) == 1
    assert asyncio.run(EncoderProbe(lambda: settings, opener).run(context)) is None
    assert len(opened) == 1, "nothing is even opened in a test that was stopped"
