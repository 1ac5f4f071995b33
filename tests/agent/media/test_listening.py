"""A second of the microphone in numbers: nothing, too much, a voice; of a closed one only how loud it was."""

from __future__ import annotations

import numpy as np
import pytest

from agent.media.listening import FRAMES, Heard, Listening
from agent.media.microphone import FRAME_SAMPLES, level_dbfs
from agent.media.speech import speech_loop, tone

NOTHING = np.zeros(FRAME_SAMPLES, np.int16)
ROOM_NOISE = np.random.default_rng(1).normal(0, 12, FRAME_SAMPLES).astype(np.int16)  # -69 dBFS
VOICE = tone(300, -20, 0, FRAME_SAMPLES).astype(np.int16)
TOO_MUCH = np.clip(tone(300, 6, 0, FRAME_SAMPLES), -32768, 32767).astype(np.int16)


def second(sounds, muted: bool = False) -> Heard:
    listening = Listening()
    for number in range(FRAMES):
        samples = sounds[number % len(sounds)]
        listening.add(samples, level_dbfs(samples), 5.0, muted=muted)
    assert listening.heard is not None
    return listening.heard


@pytest.mark.parametrize(
    ("sounds", "nothing", "clipped", "loud"),
    [
        ([NOTHING], 1, 0, 0),
        ([NOTHING + 7], 1, 0, 0),
        ([ROOM_NOISE], 0, 0, 0),
        ([VOICE, ROOM_NOISE], 0, 0, 0.5),
        ([TOO_MUCH, VOICE], 0, 0.5, 1),
    ],
)
def test_what_a_second_was_like(sounds, nothing, clipped, loud):
    assert second(sounds) == Heard(5.0, False, nothing, clipped, loud)


def test_speech_is_neither_nothing_nor_too_much():
    speech = speech_loop()
    heard = second([speech[at : at + FRAME_SAMPLES] for at in range(0, 48_000, FRAME_SAMPLES)])
    assert heard.loud > 0.3
    assert heard.nothing < 0.9
    assert heard.clipped == 0


def test_of_a_closed_microphone_only_the_level_is_taken():
    assert second([TOO_MUCH], muted=True) == Heard(5.0, True, 0, 0, 1)


def test_a_second_is_of_an_open_or_of_a_closed_microphone_never_of_both():
    listening = Listening()
    for muted in (False, True):
        for _ in range(FRAMES - 1):
            listening.add(VOICE, -20, 1.0, muted=muted)
            assert listening.heard is None
    listening.add(VOICE, -20, 1.0, muted=True)
    assert listening.heard == Heard(1.0, True, 0, 0, 1)
