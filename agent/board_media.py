"""From a board profile and the settings file to what the media modules are told."""

from __future__ import annotations

from pathlib import Path

from agent.config import Settings
from agent.media.camera import CameraSettings
from agent.media.capture import CaptureSettings
from agent.media.microphone import MicrophoneSettings
from firmware.board import Board


def capture_settings(board: Board, settings: Settings | None = None) -> CaptureSettings:
    """Camera, microphone and encoders as the board has them; the settings' footage takes their place."""
    if settings is not None and settings.footage is not None:
        board = board.with_footage(settings.footage)
    camera, microphone = board.camera, board.microphone
    return CaptureSettings(
        camera=CameraSettings(
            kind=camera.kind,
            device=camera.device or "/dev/video0",
            file=Path(camera.file) if camera.file else None,
            width=camera.width,
            height=camera.height,
            frame_rate=camera.frame_rate,
            pixel_formats=tuple(camera.pixel_formats),
            burn_clock=settings is not None and settings.burn_clock,
        ),
        microphone=MicrophoneSettings(
            kind=microphone.kind,
            target=microphone.target,
            file=Path(microphone.file) if microphone.file else None,
            tone_hz=settings.tone_hz if settings is not None else None,
        ),
        encoders=tuple(board.encoders),
    )
