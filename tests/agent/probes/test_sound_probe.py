"""When the sound probe makes itself heard, and what it says when it may not."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import replace

import pytest

from agent.media.device import DeviceError
from agent.media.heard import Devices
from agent.media.microphone import MicrophoneSettings
from agent.probes.sound import AGAIN_EVERY_S, KEPT, SoundParts, SoundProbe
from agent.probes.sound_usual import usual_from
from agent.selftest import Context
from tests.agent.probes.sounding_rooms import Made

WELL = Made().heard()
OFF = Made(loudspeaker_db=-200).heard()
FAINT = Made(microphone_db=-20).heard()


class Room:
    """A trial of the test's: what is heard, whether a chirp was asked for, and the time."""

    def __init__(self) -> None:
        self.heard = WELL
        self.chirps = []
        self.now = 1000.0
        self.kept = {}
        self.output = "loudspeaker"
        parts = SoundParts(MicrophoneSettings(), "sink")
        self.probe = SoundProbe(
            lambda: replace(parts, output=self.output), self, lambda: self.now, self.trial
        )

    def trial(self, settings, sink, sound, *, seconds, stopped):
        self.chirps.append(sound is not None)
        if isinstance(self.heard, Exception):
            raise self.heard
        if sound is not None and self.heard.devices is not None and self.heard.devices.output:
            return self.heard
        nothing = self.heard.quiet[:0]
        return replace(self.heard, played=nothing, raw=nothing, cancelled=None)

    def get(self, key):
        return self.kept.get(key)

    def put(self, key, value):
        self.kept[key] = value

    def run(self, occasion="before", present=False, context=None):
        """Instructions of what is told, "" for what is well, by the probe's name."""
        verdicts = asyncio.run(self.probe.run(context or Context(occasion, present)))
        assert len({each.probe for each in verdicts}) == len(verdicts)
        return {each.probe: each.instruction for each in verdicts}


@pytest.fixture
def room():
    return Room()


def test_a_well_room_is_heard_and_becomes_the_usual_one(room):
    assert room.run() == {"microphone": "", "loudspeaker": ""}
    assert usual_from(room.kept[KEPT]).gain_db == pytest.approx(-15, abs=2)
    room.heard = FAINT
    assert room.run() == {"microphone": "microphone_quiet", "loudspeaker": ""}
    assert usual_from(room.kept[KEPT]).gain_db == pytest.approx(-15, abs=2)


def test_where_somebody_sits_no_chirp_is_played_unless_staff_ask_and_the_last_word_holds(room):
    assert room.run(present=True) == {"microphone": ""}
    room.heard = OFF
    assert room.run() == {"microphone": "", "loudspeaker": "loudspeaker"}
    room.heard = WELL
    assert room.run(present=True) == {"microphone": "", "loudspeaker": "loudspeaker"}
    assert room.run("staff", present=True) == {"microphone": "", "loudspeaker": ""}
    assert room.chirps == [False, True, False, True]


def test_after_a_repair_it_is_played_only_where_there_was_one_and_not_every_half_minute(room):
    room.run()
    room.run("again")
    assert room.chirps == [True, False]
    room.heard = FAINT
    room.run("daily")
    for _ in range(3):
        room.now += AGAIN_EVERY_S / 3
        assert room.run("again")["microphone"] == "microphone_quiet"
    assert room.chirps[2:] == [True, False, False, True]


def test_the_second_try_of_one_test_is_heard_as_the_first(room):
    room.heard = OFF
    room.run()
    room.now += AGAIN_EVERY_S
    again = Context("again", present=False)
    assert room.run(context=again)["loudspeaker"] == "loudspeaker"
    room.heard = WELL
    assert room.run(context=again)["loudspeaker"] == ""
    assert room.chirps == [True, True, True]


def test_an_output_that_is_pulled_out_is_told_without_a_sound_and_tried_when_it_is_back(room):
    room.run()
    room.heard = replace(WELL, devices=Devices(""))
    assert room.run(present=True)["loudspeaker"] == "loudspeaker"
    room.heard = WELL
    room.now += AGAIN_EVERY_S
    assert room.run("again") == {"microphone": "", "loudspeaker": ""}
    assert room.chirps[-1]


def test_headphones_are_not_heard_in_the_room_and_not_called_dead(room):
    room.output, room.heard = "headphones", OFF
    assert room.run() == {"microphone": "", "loudspeaker": ""}
    assert room.kept == {}


def test_a_microphone_that_is_away_or_dead_says_nothing_of_the_loudspeaker(room):
    room.heard = DeviceError("microphone", "PipeWire has none", "Plug it in")
    assert room.run() == {"microphone": "microphone"}
    room.heard = Made(microphone_db=-200).heard()
    assert room.run() == {"microphone": "microphone_dead"}
    room.heard = replace(WELL, devices=None)
    assert room.run() == {"microphone": ""}


def test_stopped_it_has_nothing_to_say(room):
    context = Context("before", present=False)
    context.stopped.set()
    assert asyncio.run(room.probe.run(context)) is None


def test_so_loud_is_usual_once_somebody_has_said_that_it_is_right(room):
    room.run()
    room.heard = FAINT
    assert room.run("staff") == {"microphone": "microphone_quiet", "loudspeaker": ""}
    room.probe.forget()
    assert room.run("staff") == {"microphone": "", "loudspeaker": ""}
    assert usual_from(room.kept[KEPT]).gain_db == pytest.approx(-35, abs=2)


def test_a_disk_that_is_full_is_no_fault_of_the_sound(room, monkeypatch, caplog):
    def full(_key, _value):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(room, "put", full)
    assert room.run() == {"microphone": "", "loudspeaker": ""}
    assert "OperationalError" in caplog.text
