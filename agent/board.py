"""Maps a board profile to the settings of the media: firmware knows the board, media knows no board."""

from __future__ import annotations

from pathlib import Path

from agent.media.camera import CameraSettings
from agent.media.capture import CaptureSettings
from agent.media.microphone import MicrophoneSettings
from firmware.board import Board


def capture_settings(
    board: Board, *, footage: Path | None = None, burn_clock: bool = False, tone_hz: float | None = None
) -> CaptureSettings:
    """What to capture on this board.

    footage plays a film instead of camera and microphone; burn_clock draws the clock of
    agent.media.clock_pattern into the picture, and tone_hz mixes a tone in, for measurements only.
    """
    if footage is not None:
        board = board.with_footage(footage)
    camera, microphone = board.camera, board.microphone
    return CaptureSettings(
        camera=CameraSettings(
            kind=camera.kind,
            device=camera.device or "",
            file=Path(camera.file) if camera.file else None,
            width=camera.width,
            height=camera.height,
            frame_rate=camera.frame_rate,
            pixel_formats=tuple(camera.pixel_formats),
            burn_clock=burn_clock,
        ),
        microphone=MicrophoneSettings(
            kind=microphone.kind,
            target=microphone.target,
            file=Path(microphone.file) if microphone.file else None,
            tone_hz=tone_hz,
        ),
        encoders=tuple(board.encoders),
    )
