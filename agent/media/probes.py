"""The room checks itself: camera and encoder are tried from closed, and closed again afterwards.

Each probe blocks for about a second at most when all is well; run_probes runs them side by side in threads.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np

from agent.media.camera import CameraSettings, make_camera
from agent.media.capture import CaptureSettings
from agent.media.device import DeviceError
from agent.media.encoder_chain import Opener
from agent.media.encoder_probe import probe_encoders
from agent.media.footage import Footage
from agent.media.pixels import Plane, planes
from agent.media.pulse import Move, pulse
from agent.media.video_codec import open_encoder

CAMERA_PICTURES = 16
CAMERA_LIMIT_S = 2.0
LOWEST_RATE_RATIO = (
    0.6  # many cameras slow down in poor light; below this it is not the camera that was asked for
)
ENCODER_HANGS_S = 60.0
"""A slow machine may need many seconds; a driver that hangs would keep the room in its test for ever."""


@dataclass(frozen=True, slots=True)
class ProbeOutcome:
    """What one probe found. figure in unit; reason says what is wrong and what to do, and is empty when
    ok. form: how a real camera's pictures are taken."""

    name: Literal["camera", "encoder"]
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


def probe_encoder(settings: CaptureSettings, opener: Opener = open_encoder) -> ProbeOutcome:
    """The first encoder of the order that works, with its speed over real time; the reason names those that
    failed."""
    camera = settings.camera
    refusals: list[str] = []
    for name in settings.encoders:
        with pulse("encoder's probe", within_s=ENCODER_HANGS_S):
            (result,) = probe_encoders([name], camera.width, camera.height, camera.frame_rate, opener)
        if result.ok:
            return ProbeOutcome("encoder", True, result.speed_ratio, f"x real time ({name})", "")
        refusals.append(f"{name}: {result.reason}")
    reason = f"no encoder works: {'; '.join(refusals)}. Restart the unit; if it stays so, replace it"
    return ProbeOutcome("encoder", False, 0.0, "x real time", reason)


async def run_probes(settings: CaptureSettings) -> list[ProbeOutcome]:
    """Both, side by side in threads: camera, encoder."""
    return list(
        await asyncio.gather(
            asyncio.to_thread(probe_camera, settings.camera),
            asyncio.to_thread(probe_encoder, settings),
        )
    )


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


def _footage(settings: CameraSettings) -> Footage | None:
    return Footage(settings.file) if settings.kind == "file" and settings.file else None
