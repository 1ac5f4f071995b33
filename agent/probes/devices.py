"""The microphone, tried from closed and closed again afterwards (agent/media/probes.py)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from agent.media.capture import CaptureSettings
from agent.media.probes import ProbeOutcome, probe_microphone
from agent.selftest import Context
from agent.verdict import Verdict, found, well

SettingsNow = Callable[[], CaptureSettings]


class SoundProbe:
    """A Probe."""

    name = "sound"

    def __init__(self, settings: SettingsNow) -> None:
        self._settings = settings

    async def run(self, context: Context) -> list[Verdict]:
        """The microphone gives more than digital silence."""
        return [_verdict(await asyncio.to_thread(probe_microphone, self._settings().microphone))]


def _verdict(outcome: ProbeOutcome) -> Verdict:
    if outcome.ok:
        return well(outcome.name, outcome.figure, outcome.unit)
    return found(outcome.name, outcome.figure, outcome.unit, reason=outcome.reason)
