"""Listens to the room by the board's microphone, and plays a sound into it: by PipeWire or without hardware."""

from __future__ import annotations

from dataclasses import replace
from threading import Event

import numpy as np
from numpy.typing import NDArray

from agent.media import pipewire_trial
from agent.media.device import Microphone, Samples
from agent.media.footage import Footage
from agent.media.heard import RINGS_S, Devices, Heard
from agent.media.microphone import FRAME_S, MicrophoneSettings, make_microphone
from agent.media.pulse import Move, pulse
from agent.media.sim_room import SimMicrophone, SimRoom
from agent.media.source import AUDIO_CLOCK_RATE_HZ

SIM_OUTPUT = "sim-loudspeaker"
SIM_PLAY_DELAY_MS = 30.0  # as shipped, firmware/audio/start.sh

Wave = NDArray[np.float64]


def try_sound(
    settings: MicrophoneSettings, sink: str | None, sound: Wave | None, *, seconds: float, stopped: Event
) -> Heard:
    """Listen for so long, then play `sound` (1.0 is full scale) if there is one and an output, and hear it.

    sink: where the kiosk plays to, a PipeWire node. Blocks; ends early once stopped. Raises DeviceError where
    there is no microphone, or no sound of it.
    """
    with pulse("sound's probe") as move:
        if settings.kind == "pipewire":
            return pipewire_trial.listen(
                settings.target, sink, sound, seconds=seconds, stopped=stopped, move=move
            )
        film = Footage(settings.file) if settings.kind == "file" and settings.file else None
        # Nobody sits in a room that is tried: what is made by code is its noise alone.
        microphone = make_microphone(replace(settings, speaks=settings.room is None), film)
        try:
            microphone.open()
            return _listen(microphone, settings.room, sound, _Reader(microphone, seconds, stopped, move))
        finally:
            microphone.close()


class _Reader:
    """Reads 20 ms after 20 ms."""

    def __init__(self, microphone: Microphone, seconds: float, stopped: Event, move: Move) -> None:
        self.seconds = seconds
        self._microphone, self._stopped, self._move = microphone, stopped, move

    def read(self, seconds: float) -> tuple[Samples, Samples, Samples]:
        """What was played, the microphone itself, what the call hears."""
        pieces: list[tuple[Samples, Samples, Samples]] = []
        for _ in range(round(seconds / FRAME_S)):
            if self._stopped.is_set():
                break
            self._move()
            heard = self._microphone.read().samples
            sim = self._microphone if isinstance(self._microphone, SimMicrophone) else None
            pieces.append((sim.played, sim.raw, heard) if sim else (np.zeros_like(heard), heard, heard))
        if not pieces:
            return (np.zeros(0, np.int16),) * 3
        played, raw, cancelled = (np.concatenate(each) for each in zip(*pieces, strict=True))
        return played, raw, cancelled


def _listen(microphone: Microphone, room: SimRoom | None, sound: Wave | None, reader: _Reader) -> Heard:
    _, quiet, _ = reader.read(reader.seconds)
    nothing = quiet[:0]
    if room is None:
        return Heard(None, quiet, nothing, nothing)
    acoustics = room.acoustics()
    output = SIM_OUTPUT if acoustics.loudspeaker else ""
    devices = Devices(output, cancels=acoustics.cancels, play_delay_ms=SIM_PLAY_DELAY_MS)
    if sound is None or not output:
        return Heard(devices, quiet, nothing, nothing)
    room.play(sound)
    played, raw, cancelled = reader.read(len(sound) / AUDIO_CLOCK_RATE_HZ + RINGS_S)
    return Heard(devices, quiet, played, raw, cancelled if devices.cancels else None)
