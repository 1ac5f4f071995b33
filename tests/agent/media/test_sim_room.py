"""The room without hardware: what its file says is heard, at once and as long as it says so."""

from __future__ import annotations

import os
import threading
import wave

import numpy as np
import pytest

from agent.media import microphone as microphone_module
from agent.media import sound_trial
from agent.media.chirp import chirps, echo
from agent.media.device import DeviceError, RawSound
from agent.media.footage import Footage
from agent.media.microphone import FRAME_S, FRAME_SAMPLES, FileMicrophone, MicrophoneSettings, make_microphone
from agent.media.sim_room import ACOUSTICS, LOOK_EVERY_S, SimMicrophone, SimRoom
from agent.media.sound_look import look

LISTENS_S = 1.0


class Quiet:
    """A microphone of nobody's; each 20 ms let the room's clock go on."""

    missing = None

    def __init__(self) -> None:
        self.now = 100.0
        self.is_open = False

    def open(self) -> None:
        self.is_open = True

    def read(self) -> RawSound:
        self.now += FRAME_S
        return RawSound(np.zeros(FRAME_SAMPLES, np.int16), self.now)

    def close(self) -> None:
        self.is_open = False


@pytest.fixture
def sim(tmp_path, monkeypatch):
    """Writes what the room is to be, tries it, and gives what was heard."""
    inner = Quiet()
    room = SimRoom(tmp_path / ACOUSTICS, clock=lambda: inner.now)
    monkeypatch.setattr(sound_trial, "make_microphone", lambda *_: SimMicrophone(inner, room))
    versions = iter(range(1, 99))

    def tried(text=None, sound=None):
        file = tmp_path / ACOUSTICS
        file.unlink(missing_ok=True)
        if text is not None:
            file.write_text(text)
            os.utime(file, ns=(version := next(versions), version))
        inner.now += LOOK_EVERY_S
        settings = MicrophoneSettings(room=room)
        try:
            return sound_trial.try_sound(settings, None, sound, seconds=LISTENS_S, stopped=threading.Event())
        finally:
            assert not inner.is_open

    return tried


def test_without_a_file_the_chirp_comes_back_and_the_canceller_takes_it_out(sim):
    heard = sim(sound=chirps())
    assert look(heard.quiet).level_dbfs == pytest.approx(-66, abs=1)
    found, left = echo(heard.raw, heard.played), echo(heard.cancelled, heard.played)
    assert (found.gain_db, found.delay_ms) == (pytest.approx(-11, abs=2), pytest.approx(25, abs=1))
    assert found.gain_db - left.gain_db > 20
    assert heard.devices.output
    assert heard.devices.cancels


def test_what_the_file_says_is_heard_and_mended_when_it_is_taken_away(sim):
    heard = sim("gain_db = -30\ndelay_ms = 200\necho_canceller_db = 0", chirps())
    found = echo(heard.raw, heard.played)
    assert (found.gain_db, found.delay_ms) == (pytest.approx(-29, abs=2), pytest.approx(200, abs=1))
    assert echo(heard.cancelled, heard.played).gain_db == pytest.approx(found.gain_db, abs=1)
    off = sim("gain_db = -120", chirps())
    assert not echo(off.raw, off.played).is_found
    assert look(sim("muted = true").quiet).is_digital_silence
    assert look(sim("hum_dbfs = -35").quiet).hum_dbfs > -36
    assert look(sim("clip = true\nnoise_dbfs = -40").quiet).clipped > 0.1
    assert look(sim("microphone_gain_db = -20").quiet).level_dbfs == pytest.approx(-86, abs=1)
    assert not sim("loudspeaker = false", chirps()).devices.output
    assert not sim("cancels = false", chirps()).devices.cancels
    with pytest.raises(DeviceError, match="not plugged in"):
        sim("microphone = false")
    assert look(sim().quiet).level_dbfs == pytest.approx(-66, abs=1)


def test_a_file_that_cannot_be_used_leaves_the_room_as_it_was_and_is_told(sim, caplog):
    assert look(sim("muted = true").quiet).is_digital_silence
    for wrong in ("muted = maybe", "voice = 3", "gain_db = 300"):
        assert look(sim(wrong).quiet).is_digital_silence
    assert len(caplog.records) == 3


def film(file, level):
    with wave.open(str(file), "wb") as written:
        written.setparams((1, 2, 48_000, 0, "NONE", ""))
        written.writeframes(np.full(48_000, level, "<i2").tobytes())


def test_a_film_that_is_replaced_while_it_plays_is_heard_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(microphone_module.Pace, "wait", lambda pace: pace.next_due - FRAME_S)
    played, other = tmp_path / "played.wav", tmp_path / "other.wav"
    film(played, 1000)
    film(other, -2000)
    microphone = FileMicrophone(Footage(played))
    microphone.open()
    assert {int(microphone.read().samples.mean()) for _ in range(30)} == {1000}
    other.replace(played)
    levels = [int(microphone.read().samples.mean()) for _ in range(60)]
    assert levels[-1] == -2000
    played.unlink()
    with pytest.raises(DeviceError, match=r"played\.wav"):
        [microphone.read() for _ in range(60)]
    microphone.close()


def test_only_what_is_made_by_code_or_read_from_a_film_is_in_such_a_room(tmp_path):
    room = SimRoom()
    assert isinstance(make_microphone(MicrophoneSettings(room=room)), SimMicrophone)
    assert not isinstance(make_microphone(MicrophoneSettings()), SimMicrophone)
