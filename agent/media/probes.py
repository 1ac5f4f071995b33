"""The room checks itself: camera and microphone are tried from closed, and closed again afterwards.

Each probe blocks for about a second at most when all is well.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np

from agent.media.camera import CameraSettings, make_camera
from agent.media.device import DeviceError
from agent.media.footage import Footage
from agent.media.microphone import SILENCE_DBFS, MicrophoneSettings, level_dbfs, make_microphone
from agent.media.pixels import Plane, planes
from agent.media.pulse import Move, pulse

CAMERA_PICTURES = 16
CAMERA_LIMIT_S = 2.0
LOWEST_RATE_RATIO = (
    0.6  # many cameras slow down in poor light; below this it is not the camera that was asked for
)
MICROPHONE_LIMIT_S = 1.5
LOWEST_LEVEL_DBFS = -85.0  # the noise of any real microphone is above; digital silence is -100


@dataclass(frozen=True, slots=True)
class ProbeOutcome:
    """What one probe found. figure in unit; reason says what is wrong and what to do, and is empty when
    ok. form: how a real camera's pictures are taken."""

    name: Literal["camera", "microphone"]
    ok: bool
    figure: float
    unit: str
    reason: str
    form: str = ""


def probe_camera(settings: CameraSettings) -> ProbeOutcome:
    """Pictures come at about the asked rate, and differ."""
    with pulse("camera's probe") as move:
        return _try_camera(settings, move)


def _try_camera(settings: CameraSettings, move: Move) -> ProbeOutcome:
    camera = make_camera(settings, _footage(settings))
    try:
        camera.open()
        times: list[float] = []
        seen: list[Plane] = []
        started = time.monotonic()
        while len(times) < CAMERA_PICTURES and time.monotonic() - started < CAMERA_LIMIT_S:
            move()
            picture = camera.read()
            times.append(picture.captured_at)
            seen.append(planes(picture.frame)[0][::8, ::8].copy())
    except DeviceError as error:
        return ProbeOutcome("camera", False, 0.0, "frames/s", str(error))
    finally:
        camera.close()
    form = camera.path
    return replace(_judged_pictures(settings, times, seen), form=form)


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


def _judged_pictures(settings: CameraSettings, times: list[float], seen: list[Plane]) -> ProbeOutcome:
    span = times[-1] - times[0] if len(times) > 1 else 0.0
    rate = (len(times) - 1) / span if span > 0 else 0.0
    moving = any(not np.array_equal(one, other) for one, other in pairwise(seen))
    reason = ""
    if not moving:
        reason = "the camera's picture stands still: unplug it and plug it in again"
    elif rate < settings.frame_rate * LOWEST_RATE_RATIO:
        slow = f"the camera gives {rate:.0f} of {settings.frame_rate} frames/s"
        reason = f"{slow}: give it light, or another USB port"
    return ProbeOutcome("camera", not reason, rate, "frames/s", reason)


def _footage(settings: CameraSettings | MicrophoneSettings) -> Footage | None:
    return Footage(settings.file) if settings.kind == "file" and settings.file else None
