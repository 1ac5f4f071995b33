"""Opus: it decodes to what went in, it carries its own repair, and a new class of loss leaves no gap."""

from __future__ import annotations

import ctypes
from pathlib import Path

import av
import numpy as np
import pytest

from agent.media.device import Samples
from agent.media.microphone import FRAME_SAMPLES
from agent.media.opus import LOSS_CLASSES, ExpectedLoss, OpusEncoder, has_copy_of_previous
from agent.media.speech import speech_loop, tone


def pieces(wave: np.ndarray) -> list[Samples]:
    whole = len(wave) // FRAME_SAMPLES * FRAME_SAMPLES
    return list(wave[:whole].astype(np.int16).reshape(-1, FRAME_SAMPLES))


def decoded(packets: list[bytes]) -> np.ndarray:
    decoder = av.CodecContext.create("libopus", "r")
    decoder.sample_rate, decoder.layout = 48000, "mono"
    frames = [frame for packet in packets for frame in decoder.decode(av.Packet(packet))]
    return np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames]).astype(np.float64)


class Libopus:
    """libopus' own decoder, from the library that PyAV has loaded: FFmpeg never asks it for the repair."""

    def __init__(self) -> None:
        maps = Path("/proc/self/maps").read_text().split()
        self._library = ctypes.CDLL(next(part for part in maps if "libopus" in part and ".so" in part))
        self._library.opus_decoder_create.restype = ctypes.c_void_p
        self._state = ctypes.c_void_p(self._library.opus_decoder_create(48000, 1, None))

    def decode(self, packet: bytes | None, *, repair: bool = False) -> np.ndarray:
        """The packet's 20 ms; its repair of the 20 ms before it; or, without a packet, concealment."""
        sound = (ctypes.c_int16 * FRAME_SAMPLES)()
        size = len(packet) if packet else 0
        given = self._library.opus_decode(self._state, packet, size, sound, FRAME_SAMPLES, int(repair))
        assert given == FRAME_SAMPLES
        return np.array(sound, np.float64)


def test_opus_is_one_small_packet_for_20_ms_and_decodes_to_the_tone() -> None:
    encoder = OpusEncoder()
    packets = [encoder.encode(piece) for piece in pieces(tone(1000, -20, 0, 50 * FRAME_SAMPLES))]
    assert all(packets)
    assert 8_000 < sum(map(len, packets)) * 8 < 45_000
    wave = decoded(packets)
    assert len(wave) == pytest.approx(50 * FRAME_SAMPLES, abs=FRAME_SAMPLES)
    spectrum = np.abs(np.fft.rfft(wave[-24_000:] * np.hanning(24_000)))
    assert spectrum.argmax() * 2 == pytest.approx(1000, abs=2)


@pytest.mark.parametrize("loss_class", LOSS_CLASSES)
def test_every_class_understands_its_options_and_repairs_the_voice(loss_class: object) -> None:
    encoder = OpusEncoder(loss_class)  # type: ignore[arg-type]
    assert encoder._context.options == {}  # FFmpeg leaves here what it did not understand
    packets = [encoder.encode(piece) for piece in pieces(speech_loop()[:96_000])]
    assert np.mean([has_copy_of_previous(packet) for packet in packets]) > 0.4  # the rest is silence
    assert 12_000 < sum(map(len, packets)) * 8 / 2 < 48_000


def test_what_is_repaired_is_nearer_the_voice_than_what_is_concealed() -> None:
    speech = pieces(speech_loop()[:144_000])
    encoder = OpusEncoder(LOSS_CLASSES[2])
    packets = [encoder.encode(piece) for piece in speech]
    whole, repaired, concealed = Libopus(), Libopus(), Libopus()
    errors = {"repaired": 0.0, "concealed": 0.0}
    for index, packet in enumerate(packets[:-1]):
        truth = whole.decode(packet)
        lost = index % 10 == 5 and has_copy_of_previous(packets[index + 1])
        mended = repaired.decode(packets[index + 1], repair=True) if lost else repaired.decode(packet)
        covered = concealed.decode(None if lost else packet)
        if lost:
            errors["repaired"] += float(np.square(mended - truth).sum())
            errors["concealed"] += float(np.square(covered - truth).sum())
    assert 0 < errors["repaired"] < 0.5 * errors["concealed"]


def test_a_new_class_goes_on_without_a_gap() -> None:
    wave = pieces(tone(400, -12, 0, 60 * FRAME_SAMPLES))
    encoder = OpusEncoder()
    packets = []
    for index, piece in enumerate(wave):
        if index % 15 == 14:
            encoder.expect(LOSS_CLASSES[1 + index // 15 % 3])
        packets.append(encoder.encode(piece))
    heard = decoded(packets)
    assert len(heard) == pytest.approx(60 * FRAME_SAMPLES, abs=FRAME_SAMPLES)
    loudness = np.sqrt(np.square(heard[4800:].reshape(-1)[: 480 * 110].reshape(-1, 480)).mean(axis=1))
    assert loudness.min() > 0.7 * np.median(loudness)  # in no 10 ms has the tone a hole
    assert loudness.max() < 1.3 * np.median(loudness)


def test_loss_makes_it_worse_at_once_and_better_only_after_a_calm_time() -> None:
    loss = ExpectedLoss()
    course = [(0.0, 0), (0.01, 1), (0.02, 2), (0.3, 3), (0.02, 4), (0.14, 5), (0.02, 6), (0.02, 15)]
    percents = [loss.update(fraction, now).percent for fraction, now in course]
    assert percents == [1, 1, 8, 30, 30, 30, 30, 30]
    assert loss.update(0.02, 16).percent == 15
    assert loss.update(0.0, 26).percent == 8
    assert loss.update(0.012, 30).percent == 8  # not clearly better than where this class begins
    assert [loss.update(0.0, now).percent for now in (36, 45.9, 46, 100)] == [8, 8, 1, 1]
