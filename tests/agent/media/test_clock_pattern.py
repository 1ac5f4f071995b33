"""The machine-readable clock: there and back, through an encoder and scaling; a smear is no measurement."""

from __future__ import annotations

import av
import pytest

from agent.media.clock_pattern import MODULO_MS, clock_age_ms, draw_clock, read_clock
from agent.media.encoder_chain import EncoderChain
from agent.media.pixels import blank, copied, planes
from agent.media.source import EncodingTarget
from agent.media.video_codec import ENCODERS, PictureForm, open_encoder

UNIX_MS = 1_763_776_543_210


@pytest.mark.parametrize("size", [(1280, 720), (640, 360), (320, 180), (854, 480)])
@pytest.mark.parametrize("value", [0, MODULO_MS - 1, UNIX_MS, 0xABCDEF])
def test_what_is_drawn_is_read(size: tuple[int, int], value: int) -> None:
    frame = blank(*size, luma=120)
    draw_clock(*planes(frame), unix_ms=value)
    assert read_clock(planes(frame)[0]) == value % MODULO_MS


def test_it_survives_h264_at_a_low_rate_and_half_the_size() -> None:
    chain = EncoderChain([ENCODERS["libx264"]], PictureForm(640, 360, 30, 300_000), open_encoder)
    target = EncodingTarget(150_000, 30, 320, 180)
    decoder = av.CodecContext.create("h264", "r")
    read = []
    for index in range(6):
        frame = blank(640, 360, luma=90 + index)
        draw_clock(*planes(frame), unix_ms=UNIX_MS + 33 * index)
        for payload in chain.encode(frame, index * 3000, False, target, 30) or []:
            read += [read_clock(planes(out)[0]) for out in decoder.decode(av.Packet(payload.data))]
    read += [read_clock(planes(out)[0]) for out in decoder.decode(None)]
    assert read == [(UNIX_MS + 33 * index) % MODULO_MS for index in range(6)]


def test_a_picture_without_clock_and_a_smeared_clock_are_none() -> None:
    assert read_clock(planes(blank(640, 360))[0]) is None
    frame = blank(640, 360)
    draw_clock(*planes(frame), unix_ms=UNIX_MS)
    smeared = copied(frame)
    planes(smeared)[0][:20, 200:220] = 128
    assert read_clock(planes(smeared)[0]) is None
    luma = planes(frame)[0]
    luma[:20, 200:220] = 251 - luma[:20, 200:220]  # one bit turned over: the check tells
    assert read_clock(luma) is None


def test_age_is_told_across_the_wrap() -> None:
    assert clock_age_ms(MODULO_MS - 10, 5) == 15
    assert clock_age_ms(UNIX_MS % MODULO_MS, UNIX_MS + 42) == 42
    assert clock_age_ms(5, MODULO_MS - 5) == -10  # a clock that runs ahead
