"""What the machine's looped sound card hears: played into its other end, its microphone has it."""

from __future__ import annotations

import random
import tempfile
import wave
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.system.visit import pulsed_tone
from tests.vm.machine import Machine

TONE_HZ = 740
TONE, NOISE = "/run/lab-tone.wav", "/run/lab-noise.wav"
NOISE_LEVEL = 300
"""Standard deviation in levels of 32768, -41 dBFS: a quiet room, of which noise suppression leaves enough."""
RATE_HZ = 48_000
OTHER_END = "plughw:Loopback,1,0"
"""PipeWire has device 0; what is played to device 1 comes out of its capture side, and the other way round."""
HEARD = 4
"""Of twenty looks, so often at least: on a busy host the emulated sound has holes; noise is seldom there once."""
PLAYER = "lab-sound.service"


@contextmanager
def play_tone(machine: Machine, hz: int = TONE_HZ) -> Iterator[None]:
    """Play it round and round. Pulsed like speech, since noise suppression takes out what never changes."""
    with tempfile.TemporaryDirectory() as folder:
        machine.put(TONE, stereo(pulsed_tone(Path(folder) / "tone.wav", hz, seconds=2.4)))
    _play(machine, TONE)
    try:
        yield
    finally:
        _play(machine, NOISE)


def furnish(machine: Machine) -> None:
    """A room's noise from now on: a loop into which nobody plays is digital silence, as of no microphone."""
    with tempfile.TemporaryDirectory() as folder:
        machine.put(NOISE, stereo(noise(Path(folder) / "noise.wav")))
    _play(machine, NOISE)


def noise(file: Path, seconds: float = 2.4) -> Path:
    """A sound file of white noise, the same each time."""
    dice = random.Random(1)
    samples = array("h", (round(dice.gauss(0, NOISE_LEVEL)) for _ in range(int(seconds * RATE_HZ))))
    with wave.open(str(file), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE_HZ)
        sound.writeframes(samples.tobytes())
    return file


def stereo(file: Path) -> Path:
    """A sound file of one channel made one of two, in its place. Both ends of a loop have the same form, and who
    comes first decides: with one channel PipeWire could not open its stereo end."""
    with wave.open(str(file), "rb") as sound:
        rate, mono = sound.getframerate(), array("h", sound.readframes(sound.getnframes()))
    with wave.open(str(file), "wb") as sound:
        sound.setnchannels(2)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(array("h", (level for level in mono for _ in range(2))).tobytes())
    return file


def _play(machine: Machine, file: str) -> None:
    # A card that is away is waited for.
    player = f"while :; do aplay -q -D {OTHER_END} {file} || sleep 1; done"
    machine.run(f"systemctl stop {PLAYER}")
    machine.check(f"systemd-run --quiet --unit={PLAYER} --collect sh -c '{player}'")
