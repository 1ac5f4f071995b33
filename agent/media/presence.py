"""Which devices are there at all, before anybody asks for them: no stream is started, no lamp is lit.

Said before the agent calls itself ready; whether what is there also works is the self-test's to find out.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from agent.media.camera import CameraSettings
from agent.media.capture import CaptureSettings
from agent.media.device import DeviceError
from agent.media.microphone import MicrophoneSettings
from agent.media.v4l2 import camera_abilities

ANSWER_WITHIN_S = 1.0
"""A driver that takes longer to say what it can do is left to the self-test."""


async def missing_devices(settings: CaptureSettings) -> dict[str, str]:
    """`camera` and `microphone`, those that are not there, with why."""
    found = {
        "camera": asyncio.to_thread(camera_missing, settings.camera),
        "microphone": asyncio.to_thread(microphone_missing, settings.microphone),
    }
    tasks = {name: asyncio.ensure_future(work) for name, work in found.items()}
    done, _ = await asyncio.wait(tasks.values(), timeout=ANSWER_WITHIN_S)
    return {name: task.result() for name, task in tasks.items() if task in done and task.result()}


def camera_missing(settings: CameraSettings) -> str:
    """Asks the kernel; only a real camera can be missing."""
    if settings.kind != "v4l2":
        return ""
    try:
        camera_abilities(settings.device, settings.width, settings.height)
    except DeviceError as error:
        return str(error)
    return ""


def microphone_missing(settings: MicrophoneSettings, environment: Mapping[str, str] = os.environ) -> str:
    """Looks for PipeWire's door; which sources are behind it is not asked: that takes a program of its own."""
    if settings.kind != "pipewire":
        return ""
    if shutil.which("pw-record", path=environment.get("PATH")) is None:
        return "microphone: pw-record is not installed. Install pipewire-bin"
    door = Path(environment.get("PIPEWIRE_REMOTE", "pipewire-0"))
    if not door.is_absolute():
        door = (
            Path(environment.get("PIPEWIRE_RUNTIME_DIR") or environment.get("XDG_RUNTIME_DIR", "/run")) / door
        )
    return "" if door.exists() else f"microphone: PipeWire does not run ({door} is not there). Start it"
