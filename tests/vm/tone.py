"""A tone into the other end of the machine's looped sound card: what is played there, its microphone hears."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.system.visit import pulsed_tone
from tests.vm.machine import Machine

TONE_HZ = 740
FILE = "/run/lab-tone.wav"
OTHER_END = "plughw:Loopback,1,0"
"""PipeWire has device 0; what is played to device 1 comes out of its capture side, and the other way round."""


@contextmanager
def play_tone(machine: Machine, hz: int = TONE_HZ) -> Iterator[None]:
    """Play it round and round. Pulsed like speech, since noise suppression takes out what never changes."""
    with tempfile.TemporaryDirectory() as folder:
        machine.put(FILE, pulsed_tone(Path(folder) / "tone.wav", hz, seconds=2.4))
    player = f"while aplay -q -D {OTHER_END} {FILE}; do :; done"
    machine.check(f"systemd-run --quiet --unit=lab-tone --collect sh -c '{player}'")
    try:
        yield
    finally:
        machine.run("systemctl stop lab-tone.service")
