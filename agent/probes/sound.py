"""Microphone, loudspeaker and the way between them, tried from closed and closed again; no sound is kept."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import Protocol

from agent.contract.unit_config import SoundOutput
from agent.media.chirp import Wave, chirps
from agent.media.device import DeviceError
from agent.media.heard import Heard
from agent.media.microphone import MicrophoneSettings
from agent.media.sound_look import FLOOR_DBFS
from agent.media.sound_trial import try_sound
from agent.probes.sound_usual import UsualSound, usual_from
from agent.probes.sound_verdicts import chirp_verdicts, microphone_verdict, output_verdict
from agent.selftest import Context
from agent.store import Keeps, put_if_it_takes
from agent.verdict import Verdict, found
from firmware.board import Board

LISTENS_S = 1.5
AGAIN_EVERY_S = 300.0
"""A room that beeps each half minute until somebody mends it would be switched off."""
KEPT = "usual-sound"


class Forgets:
    """For a test that stands alone: nothing is usual."""

    def get(self, key: str) -> bytes | None:
        return None

    def put(self, key: str, value: bytes) -> None:
        """Nothing is kept."""


@dataclass(frozen=True, slots=True)
class SoundParts:
    """microphone: which one; sink: where the kiosk plays to, a PipeWire node (None: its default); output: which
    way of hearing is chosen."""

    microphone: MicrophoneSettings
    sink: str | None = None
    output: SoundOutput = "loudspeaker"


def sound_parts(
    board: Board, microphone: MicrophoneSettings, output: SoundOutput = "loudspeaker"
) -> SoundParts:
    """Of this board."""
    return SoundParts(microphone, board.loudspeaker.target, output)


class Trial(Protocol):
    """As agent.media.sound_trial.try_sound."""

    def __call__(
        self,
        settings: MicrophoneSettings,
        sink: str | None,
        sound: Wave | None,
        *,
        seconds: float,
        stopped: Event,
    ) -> Heard: ...


class SoundProbe:
    """A Probe. Its chirp is played where nobody is disturbed, and in a test after a repair only if there was
    something to repair, no more often than every AGAIN_EVERY_S; else what the last one told holds."""

    name = "sound"

    def __init__(
        self,
        parts: Callable[[], SoundParts],
        keeps: Keeps | None = None,
        clock: Callable[[], float] = time.monotonic,
        trial: Trial = try_sound,
    ) -> None:
        self._parts, self._clock, self._trial = parts, clock, trial
        self._keeps = Forgets() if keeps is None else keeps
        self._told: tuple[Verdict, ...] = ()
        self._was_well = False
        self._chirped_at: float | None = None
        self._chirped_in: Context | None = None

    async def run(self, context: Context) -> list[Verdict] | None:
        """The microphone's word, and the loudspeaker's if it was ever tried."""
        parts, chirp = self._parts(), self._may_chirp(context)
        sound = chirps() if chirp else None
        try:
            heard = await asyncio.to_thread(
                self._trial,
                parts.microphone,
                parts.sink,
                sound,
                seconds=LISTENS_S,
                stopped=context.stopped,
            )
        except DeviceError as error:
            gone = found("microphone", FLOOR_DBFS, "dBFS", reason=str(error))
            return [gone, *(each for each in self._told if each.probe != gone.probe)]
        if context.stopped.is_set():
            return None
        usual = usual_from(self._keeps.get(KEPT))
        verdicts, seen = await asyncio.to_thread(self._judged, parts, heard, usual)
        if len(heard.played):
            self._chirped_at, self._chirped_in = self._clock(), context
        if seen is not None and all(each.ok for each in verdicts):
            put_if_it_takes(self._keeps, KEPT, (seen if usual is None else usual.follow(seen)).kept())
        return verdicts

    def forget(self) -> None:
        """What the next test hears is what is usual from then on: somebody has set it so."""
        put_if_it_takes(self._keeps, KEPT, b"")

    def _may_chirp(self, context: Context) -> bool:
        if not context.may_sound:
            return False
        if context.occasion != "again" or context is self._chirped_in:
            return True
        if self._was_well:
            return False
        return self._chirped_at is None or self._clock() - self._chirped_at >= AGAIN_EVERY_S

    def _judged(
        self, parts: SoundParts, heard: Heard, usual: UsualSound | None
    ) -> tuple[list[Verdict], UsualSound | None]:
        microphone, seen = microphone_verdict(heard), None
        if heard.devices is None:
            return [microphone], None
        silent = output_verdict(heard.devices)
        if silent is not None:
            self._was_well = False
            return [microphone, silent], None
        if len(heard.played) and microphone.instruction != "microphone_dead":
            is_heard = parts.output == "loudspeaker" and heard.devices.cancels
            way = chirp_verdicts(heard, usual, is_heard)
            self._told, seen = way.verdicts, way.found
        self._was_well = all(each.ok for each in self._told)
        # One word of the microphone: what was heard of it alone comes before how quiet it is.
        told = [each for each in self._told if microphone.ok or each.probe != microphone.probe]
        if microphone.instruction == "microphone_clipping":
            told = [each for each in told if each.instruction != "echo"]  # no canceller takes out what clips
        alone = [] if any(each.probe == microphone.probe for each in told) else [microphone]
        return [*alone, *told], seen
