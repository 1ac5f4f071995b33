"""The shared encoder: keyframes on request, live bitrate, size and rate, fallback, one encode for many."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import av
import numpy as np
import pytest
from av import VideoFrame

from agent.media import encoder as encoder_module
from agent.media import encoder_chain
from agent.media.annexb import nal_type, nal_units
from agent.media.device import RawPicture
from agent.media.encoder import EncoderSettings, VideoEncoder
from agent.media.encoder_chain import EncoderChain, fitting_size
from agent.media.pixels import planes
from agent.media.rate_governor import RateGovernor
from agent.media.source import EncodedFrame, EncodingTarget
from agent.media.video_codec import (
    ENCODERS,
    EncoderKind,
    OpenEncoder,
    PictureForm,
    open_encoder,
    silence_ffmpeg,
)

FORM = PictureForm(320, 180, 30, 1_000_000)
SETTINGS = EncoderSettings(("libx264",), FORM, 500_000)
silence_ffmpeg()


def noise(seed: int, width: int = 320, height: int = 180) -> VideoFrame:
    """A picture that is costly to encode, and different for each seed."""
    frame = VideoFrame(width, height, "yuv420p")
    random = np.random.default_rng(seed)
    for plane in planes(frame):
        coarse = random.integers(16, 235, (plane.shape[0] // 5 + 1, plane.shape[1] // 5 + 1), np.uint8)
        plane[:] = np.kron(coarse, np.ones((5, 5), np.uint8))[: plane.shape[0], : plane.shape[1]]
    return frame


PICTURES = [noise(seed) for seed in range(6)]


def second(chain: EncoderChain, target: EncodingTarget, start: int) -> tuple[int, int]:
    """Bits and keyframes of 30 pictures."""
    bits = keyframes = 0
    for index in range(start, start + 30):
        for payload in chain.encode(PICTURES[index % 6], index * 3000, False, target, 30) or []:
            bits += len(payload.data) * 8
            keyframes += payload.keyframe
    return bits, keyframes


def test_a_new_bitrate_is_followed_on_the_open_context_without_a_keyframe() -> None:
    chain = EncoderChain([ENCODERS["libx264"]], FORM, open_encoder)
    high, low = EncodingTarget(300_000, 30, 320, 180), EncodingTarget(90_000, 30, 320, 180)
    seconds = [second(chain, high if at in (0, 1, 4, 5) else low, at * 30) for at in range(6)]
    assert [keyframes for _, keyframes in seconds] == [1, 0, 0, 0, 0, 0]
    assert seconds[3][0] < 0.6 * seconds[1][0]
    assert seconds[5][0] > 1.5 * seconds[3][0]


def test_after_a_fall_of_the_line_the_encoder_is_at_the_new_rate_within_half_a_second() -> None:
    chain, governor = EncoderChain([ENCODERS["libx264"]], FORM, open_encoder), RateGovernor()
    bits = [0] * 90
    for index in range(90):
        rate = 300_000 if index < 45 else 60_000
        governor.passed(index / 30, rate)
        if governor.skips(rate):
            continue
        target = EncodingTarget(governor.asked(rate), 30, 320, 180)
        for payload in chain.encode(PICTURES[index % 6], index * 3000, False, target, 30) or []:
            bits[index] += len(payload.data) * 8
            governor.spent(bits[index])
    assert sum(bits[15:45]) > 0.7 * 300_000
    assert sum(bits[60:90]) < 1.15 * 60_000  # from half a second after the fall on
    assert sum(bits[45:90]) < 1.5 * 60_000 * 1.5  # the fall's own half second included


def test_a_small_picture_s_keyframe_is_small_enough_for_a_thin_line() -> None:
    chain = EncoderChain([ENCODERS["libx264"]], FORM, open_encoder)
    target = EncodingTarget(250_000, 30, 320, 180)
    sizes = []
    for index in range(60):
        for payload in chain.encode(PICTURES[index % 6], index * 3000, index % 30 == 0, target, 30) or []:
            sizes += [len(payload.data)] if payload.keyframe else []
    assert len(sizes) == 2
    assert max(sizes) * 8 < 0.2 * 250_000 * 1.2  # about a fifth of a second of the line


@pytest.mark.parametrize("name", ["libx264", "libvpx"])
def test_the_encoder_understands_every_option(name: str) -> None:
    context = open_encoder(ENCODERS[name], FORM, 500_000)
    assert isinstance(context, av.VideoCodecContext)
    assert context.options == {}  # FFmpeg leaves here what it did not understand


def test_a_new_size_starts_with_a_keyframe_that_decodes_at_that_size() -> None:
    chain = EncoderChain([ENCODERS["libx264"]], FORM, open_encoder)
    decoder = av.CodecContext.create("h264", "r")
    sizes, keyframes = [], []
    for index, width in enumerate((320, 320, 160, 160, 9999)):
        target = EncodingTarget(300_000, 30, width, width * 9 // 16)
        for payload in chain.encode(PICTURES[index], index * 3000, False, target, 30) or []:
            keyframes.append(payload.keyframe)
            sizes += [frame.width for frame in decoder.decode(av.Packet(payload.data))]
    sizes += [frame.width for frame in decoder.decode(None)]
    assert sizes == [320, 320, 160, 160, 320]
    assert keyframes == [True, False, True, False, True]


def test_an_odd_size_is_made_even() -> None:
    chain = EncoderChain([ENCODERS["libx264"]], FORM, open_encoder)
    target = EncodingTarget(200_000, 30, 213, 119)
    decoder = av.CodecContext.create("h264", "r")
    (payload,) = chain.encode(PICTURES[0], 0, False, target, 30) or []
    (frame,) = [*decoder.decode(av.Packet(payload.data)), *decoder.decode(None)]
    assert (frame.width, frame.height) == (212, 118)


def test_every_keyframe_is_constrained_baseline_3_1_with_its_parameter_sets() -> None:
    chain = EncoderChain([ENCODERS["libx264"]], FORM, open_encoder)
    target = EncodingTarget(300_000, 30, 320, 180)
    units = []
    for index, keyframe in enumerate((True, False, True)):
        (payload,) = chain.encode(PICTURES[index], index * 3000, keyframe, target, 30) or []
        units.append(nal_units(payload.data))
    assert [[nal_type(unit) for unit in access_unit] for access_unit in units] == [[7, 8, 5], [1], [7, 8, 5]]
    assert units[0][0][1] == 0x42  # profile_idc: baseline
    assert units[0][0][2] & 0x40  # constraint_set1: constrained
    assert units[0][0][3] == 0x1F  # level 3.1


class Failing:
    """An encoder that breaks on its nth picture."""

    bit_rate: int | None = 0

    def __init__(self, inner: OpenEncoder, after: int) -> None:
        self._inner, self._left = inner, after

    def encode(self, frame: VideoFrame | None = None) -> list[av.Packet]:  # type: ignore[type-arg]
        if self._left == 0:
            raise av.error.ExternalError(542398533, "the device is gone")
        self._left -= 1
        return self._inner.encode(frame)


def failing_first(kind: EncoderKind, form: PictureForm, bit_rate: int) -> OpenEncoder:
    """The hardware encoder is played by libx264 and breaks after two pictures."""
    inner = open_encoder(ENCODERS["libx264"], form, bit_rate)
    return Failing(inner, 2) if kind.name == "h264_v4l2m2m" else inner


def test_an_encoder_that_fails_is_replaced_by_the_next_with_a_keyframe(
    caplog: pytest.LogCaptureFixture,
) -> None:
    chain = EncoderChain([ENCODERS["h264_v4l2m2m"], ENCODERS["libx264"]], FORM, failing_first)
    target = EncodingTarget(300_000, 30, 320, 180)
    names, keyframes = [], []
    for index in range(4):
        (payload,) = chain.encode(PICTURES[index], index * 3000, False, target, 30) or []
        names.append(chain.name)
        keyframes.append(payload.keyframe)
    assert names == ["h264_v4l2m2m", "h264_v4l2m2m", "libx264", "libx264"]
    assert keyframes == [True, False, True, False]
    assert chain.failures == 1
    assert "h264_v4l2m2m failed" in caplog.text


def test_a_chain_that_fails_whole_is_tried_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = True

    def opener(kind: EncoderKind, form: PictureForm, bit_rate: int) -> OpenEncoder:
        if broken:
            raise ValueError("no such encoder")
        return open_encoder(kind, form, bit_rate)

    now = [100.0]
    monkeypatch.setattr(encoder_chain.time, "monotonic", lambda: now[0])
    chain = EncoderChain([ENCODERS["libx264"]], FORM, opener)
    target = EncodingTarget(300_000, 30, 320, 180)
    assert chain.encode(PICTURES[0], 0, True, target, 30) is None
    broken = False
    assert chain.encode(PICTURES[0], 0, True, target, 30) is None
    now[0] += encoder_chain.CHAIN_RETRY_S
    assert chain.encode(PICTURES[0], 0, True, target, 30)


def test_vp8_is_opened_anew_for_a_new_bitrate_but_not_for_every_small_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, opened = [100.0], []

    def opener(kind: EncoderKind, form: PictureForm, bit_rate: int) -> OpenEncoder:
        opened.append(bit_rate)
        return open_encoder(kind, form, bit_rate)

    monkeypatch.setattr(encoder_chain.time, "monotonic", lambda: now[0])
    chain = EncoderChain([ENCODERS["libvpx"]], FORM, opener)
    decoder = av.CodecContext.create("vp8", "r")
    decoded = 0
    for index, bit_rate in enumerate((300_000, 260_000, 100_000, 100_000)):
        target = EncodingTarget(bit_rate, 30, 320, 180)
        for payload in chain.encode(PICTURES[index], index * 3000, False, target, 30) or []:
            decoded += len(decoder.decode(av.Packet(payload.data)))
        now[0] += 1.5
    assert opened == [300_000, 100_000]
    assert decoded == 4
    assert int(planes(PICTURES[0])[0][0, 0]) >= 16  # the shared picture was left whole


@contextmanager
def running(
    loop: asyncio.AbstractEventLoop, settings: EncoderSettings = SETTINGS
) -> Iterator[tuple[VideoEncoder, list[EncodedFrame], Callable[[int], None]]]:
    """An encoder with one listener, what that has heard, and a way to offer pictures one by one."""
    encoder = VideoEncoder(loop, settings)
    heard: list[EncodedFrame] = []
    encoder.subscribe(heard.append)
    try:
        yield encoder, heard, lambda index: encoder.offer(RawPicture(PICTURES[index % 6], 100 + index / 30))
    finally:
        encoder.stop()


async def until(condition: Callable[[], bool], limit_s: float = 5.0) -> None:
    limit = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < limit, "it never came about"
        await asyncio.sleep(0.002)


def test_one_encode_serves_every_listener_and_one_bad_listener_harms_none() -> None:
    async def scenario() -> None:
        with running(asyncio.get_running_loop()) as (encoder, heard, offer):
            others: list[EncodedFrame] = []

            def bad(frame: EncodedFrame) -> None:
                raise RuntimeError("a party's fault")

            stop_bad = encoder.subscribe(bad)
            encoder.subscribe(others.append)
            for index in range(5):
                offer(index)
                await until(lambda count=index + 1: len(heard) == count)
            stop_bad()
            stop_bad()
            assert others == heard
            assert encoder.stats().frames_encoded == 5
            assert [frame.timestamp for frame in heard] == [9_000_000 + 3000 * index for index in range(5)]
            assert [frame.captured_at for frame in heard] == pytest.approx([100 + i / 30 for i in range(5)])

    asyncio.run(scenario())


def test_keyframe_requests_are_joined_and_served_twice_a_second_at_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [1000.0]
    monkeypatch.setattr(encoder_module.time, "monotonic", lambda: now[0])
    loop = asyncio.new_event_loop()
    loop.close()
    encoder = VideoEncoder(loop, SETTINGS)
    encoder._force_keyframe()
    due = []
    for step in range(12):
        now[0] = 1000 + step * 0.1
        encoder.request_keyframe()
        encoder.request_keyframe()
        if encoder._keyframe_due():
            encoder._last_keyframe_at = now[0]
            due.append(step)
    assert due == [0, 5, 10]


def test_nobody_listening_means_nothing_encoded_and_the_first_listener_gets_a_keyframe() -> None:
    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        encoder = VideoEncoder(loop, SETTINGS)
        encoder.offer(RawPicture(PICTURES[0], 1.0))
        heard: list[EncodedFrame] = []
        for round_number in range(2):
            unsubscribe = encoder.subscribe(heard.append)
            encoder.offer(RawPicture(PICTURES[1], 2.0 + round_number))
            await until(lambda count=round_number + 1: len(heard) == count)
            unsubscribe()
            encoder.offer(RawPicture(PICTURES[2], 2.5 + round_number))
        encoder.stop()
        assert [frame.keyframe for frame in heard] == [True, True]
        assert encoder.stats().frames_encoded == 2

    asyncio.run(scenario())


def test_the_newest_picture_wins_and_a_lower_rate_thins_out() -> None:
    async def scenario() -> None:
        with running(asyncio.get_running_loop()) as (encoder, heard, offer):
            with encoder._changed:  # the encoder is busy: it cannot take pictures now
                for index in range(5):
                    offer(index)
            await until(lambda: len(heard) == 1)
            assert heard[0].timestamp == 9_000_000 + 3000 * 4
            assert encoder.stats().frames_dropped == 4
            encoder.set_target(EncodingTarget(300_000, 15, 320, 180))
            for index in range(10, 20):
                before = encoder.stats().alive_at
                offer(index)
                await until(lambda seen=before: encoder.stats().alive_at > seen)
            await until(lambda: len(heard) == 1 + 5)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("camera", "asked", "made"),
    [
        ((1280, 720), (640, 360), (640, 360)),
        ((640, 480), (640, 360), (480, 360)),  # not squeezed: a face keeps its shape
        ((640, 480), (1280, 720), (640, 480)),
        ((641, 361), (1280, 720), (640, 360)),
    ],
)
def test_a_smaller_picture_keeps_the_cameras_shape(
    camera: tuple[int, int], asked: tuple[int, int], made: tuple[int, int]
) -> None:
    form = PictureForm(*camera, 30, 1_000_000)
    assert fitting_size(form, EncodingTarget(500_000, 30, *asked)) == made
