"""The room checks itself: the microphone is tried from closed, and closed again afterwards.

Blocks for about a second at most when all is well.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal

from agent.media.device import DeviceError
from agent.media.footage import Footage
from agent.media.microphone import SILENCE_DBFS, MicrophoneSettings, level_dbfs, make_microphone
from agent.media.pulse import pulse

MICROPHONE_LIMIT_S = 1.5
LOWEST_LEVEL_DBFS = -85.0  # the noise of any real microphone is above; digital silence is -100


@dataclass(frozen=True, slots=True)
class ProbeOutcome:
    """What one probe found. figure in unit; reason says what is wrong and what to do, and is empty when
    ok."""

    name: Literal["microphone"]
    ok: bool
    figure: float
    unit: str
    reason: str


def probe_microphone(settings: MicrophoneSettings) -> ProbeOutcome:
    """The microphone gives more than digital silence. Ends as soon as it has."""
    with pulse("microphone's probe"):
        return _try_microphone(settings)


def _try_microphone(settings: MicrophoneSettings) -> ProbeOutcome:
    microphone = make_microphone(settings, _footage(settings))
    level = SILENCE_DBFS
    try:
        microphone.open()
        started = time.monotonic()
        while level < LOWEST_LEVEL_DBFS and time.monotonic() - started < MICROPHONE_LIMIT_S:
            level = max(level, level_dbfs(microphone.read().samples))
    except DeviceError as error:
        return ProbeOutcome("microphone", False, SILENCE_DBFS, "dBFS", str(error))
    finally:
        microphone.close()
    heard = level >= LOWEST_LEVEL_DBFS
    reason = "" if heard else "the microphone is silent: check its cable and its mute button"
    return ProbeOutcome("microphone", heard, level, "dBFS", reason)


def _footage(settings: MicrophoneSettings) -> Footage | None:
    return Footage(settings.file) if settings.kind == "file" and settings.file else None
