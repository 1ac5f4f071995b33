"""Tries encoders with real pictures: one is only trusted if its output decodes to the same picture, in
time."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from av import VideoFrame
from av.codec.context import CodecContext
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext

from agent.media.encoder_chain import EncoderChain, Opener
from agent.media.pixels import planes
from agent.media.scene import Scene
from agent.media.source import VIDEO_CLOCK_RATE_HZ, EncodingTarget
from agent.media.video_codec import (
    ENCODER_ERRORS,
    ENCODERS,
    EncoderKind,
    OpenEncoder,
    PictureForm,
    error_text,
    highest_bit_rate,
    open_encoder,
    silence_ffmpeg,
)

PROBE_PICTURES = 12
PROBE_BIT_RATE = 1_500_000
PROBE_BIT_RATE_SHARE = 0.6
"""Of the most that a call gives a picture of this size: the same at 1280x720. A larger one that got no more came
out as another picture (1440p and up), and a sound encoder was refused."""
NOISE_LUMA = 6  # steps of noise, as a webcam in a lit room has
# Mean difference in luma between what went in and what came out: a green or shifted picture is far above.
HIGHEST_DIFFERENCE = 12.0
DECODERS = {"H264": "h264", "VP8": "vp8"}


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """One encoder's outcome. speed_ratio: pictures per second over the frame rate asked; above 1 keeps up.

    picture_ms: milliseconds per picture; of the processor's time where the encoder runs on it, so that whatever
    else the machine does now decides nothing that is kept for long, and otherwise by the clock on the wall.
    is_slow: it is not ok for its pace alone.
    """

    name: str
    ok: bool
    reason: str
    speed_ratio: float
    picture_ms: float = 0.0
    is_slow: bool = False


class Stopped(Exception):
    """Somebody needs the room: nothing is known of the encoder."""


def probe_encoders(
    order: Sequence[str],
    width: int,
    height: int,
    frame_rate: int,
    opener: Opener = open_encoder,
    *,
    is_stopped: Callable[[], bool] = lambda: False,
) -> list[ProbeResult]:
    """Try each encoder of the order, at this size in pixels and frame rate in frames/s. Blocks; about 0.3 s
    each. Raises Stopped, within a picture's time, once is_stopped()."""
    silence_ffmpeg()

    def go_on() -> None:
        if is_stopped():
            raise Stopped

    pictures = _pictures(width, height, frame_rate, go_on)
    bit_rate = max(PROBE_BIT_RATE, round(PROBE_BIT_RATE_SHARE * highest_bit_rate(width, height)))
    form = PictureForm(width, height, frame_rate, bit_rate)
    return [_probe(ENCODERS[name], form, pictures, opener, go_on) for name in order]


def in_order_of_use(results: Sequence[ProbeResult]) -> tuple[str, ...]:
    """The encoders that passed, in the order given, and then those that did not: a chain is never empty."""
    return tuple(result.name for result in sorted(results, key=lambda result: not result.ok))


def _pictures(width: int, height: int, frame_rate: int, go_on: Callable[[], None]) -> list[VideoFrame]:
    """The drawn room with a camera's noise over it, which costs an encoder most of its time."""
    scene = Scene(width, height)
    random = np.random.default_rng(0)
    pictures = []
    for index in range(PROBE_PICTURES):
        go_on()
        picture = scene.draw(index / frame_rate, index / frame_rate)
        luma = planes(picture)[0]
        luma += random.integers(0, NOISE_LUMA, luma.shape, np.uint8)
        pictures.append(picture)
    return pictures


def _probe(
    kind: EncoderKind,
    form: PictureForm,
    pictures: list[VideoFrame],
    opener: Opener,
    go_on: Callable[[], None],
) -> ProbeResult:
    refusals: list[
        str
    ] = []  # no error itself: by its traceback it would hold the pictures, some 36 MB of 1080p

    def remembered(kind: EncoderKind, form: PictureForm, bit_rate: int) -> OpenEncoder:
        try:
            return opener(kind, form, bit_rate)
        except ENCODER_ERRORS as error:
            refusals.append(error_text(error))
            raise

    chain = EncoderChain([kind], form, remembered)
    target = EncodingTarget(form.max_bit_rate, form.frame_rate, form.width, form.height)
    packets: list[bytes] = []
    clock = time.thread_time if kind.on_processor else time.perf_counter
    took: list[float] = []
    for index, picture in enumerate(pictures):
        go_on()
        started = clock()
        timestamp = index * VIDEO_CLOCK_RATE_HZ // form.frame_rate
        payloads = chain.encode(picture, timestamp, index == 0, target, form.frame_rate)
        if payloads is None:
            reason = f"it cannot be opened ({refusals[0]})" if refusals else "it failed while encoding"
            return ProbeResult(kind.name, False, reason, 0.0)
        took.append(clock() - started)
        packets += [payload.data for payload in payloads]
    # The median, since the first picture opens the encoder.
    picture_s = max(1e-6, statistics.median(took))
    speed = 1 / picture_s / form.frame_rate
    fault = _decoding_fault(kind, packets, pictures)
    is_slow = fault is None and speed < 1.0
    if is_slow:
        fault = f"too slow: {speed:.2f} of real time"
    return ProbeResult(kind.name, fault is None, fault or "", speed, picture_s * 1000, is_slow)


def _decoding_fault(kind: EncoderKind, packets: list[bytes], pictures: list[VideoFrame]) -> str | None:
    decoder = CodecContext.create(DECODERS[kind.codec], "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.thread_count = 1
    try:
        decoded = [frame for data in packets for frame in decoder.decode(Packet(data))]
        decoded += decoder.decode(None)
    except ENCODER_ERRORS as error:
        return f"its output does not decode ({error_text(error)})"
    if len(decoded) < len(pictures) // 2:
        return f"only {len(decoded)} of {len(pictures)} pictures came out"
    first = np.abs(planes(decoded[0])[0].astype(np.int16) - planes(pictures[0])[0])
    if float(first.mean()) > HIGHEST_DIFFERENCE:
        return "its output is another picture than the one that went in"
    return None
