"""From a board profile and the settings file to what the media modules are told."""

from __future__ import annotations

from pathlib import Path

from agent.config import Settings
from agent.media.camera import CameraSettings
from agent.media.camera_gate import CameraGate
from agent.media.capture import CaptureSettings
from agent.media.microphone import MicrophoneSettings
from agent.media.scene import Motif
from agent.media.sim_room import ACOUSTICS, SimRoom
from firmware.board import Board, CameraProfile, MicrophoneProfile


def capture_settings(board: Board, settings: Settings | None, gate: CameraGate) -> CaptureSettings:
    """Camera, microphone and encoders as the board has them; the settings' footage takes their place.

    gate: lamp and shutter of all cameras; without a default, so that nobody forgets it.
    """
    if settings is not None and settings.footage is not None:
        board = board.with_footage(settings.footage)
    camera, microphone = board.camera, board.microphone
    return CaptureSettings(
        camera=_camera(camera, gate, burn_clock=settings is not None and settings.burn_clock),
        hand_camera=_camera(board.hand_camera, gate, motif="hand") if board.hand_camera is not None else None,
        microphone=MicrophoneSettings(
            kind=microphone.kind,
            target=microphone.target,
            file=Path(microphone.file) if microphone.file else None,
            tone_hz=settings.tone_hz if settings is not None else None,
            room=_sim_room(microphone, settings),
        ),
        encoders=tuple(board.encoders),
    )


def _sim_room(microphone: MicrophoneProfile, settings: Settings | None) -> SimRoom | None:
    if microphone.kind == "pipewire":
        return None
    return SimRoom(settings.state_dir / ACOUSTICS if settings is not None else None)


def _camera(
    profile: CameraProfile, gate: CameraGate, *, burn_clock: bool = False, motif: Motif = "room"
) -> CameraSettings:
    return CameraSettings(
        kind=profile.kind,
        device=profile.device or "/dev/video0",
        file=Path(profile.file) if profile.file else None,
        width=profile.width,
        height=profile.height,
        sensor=profile.sensor,
        motif=motif,
        frame_rate=profile.frame_rate,
        pixel_formats=tuple(profile.pixel_formats),
        burn_clock=burn_clock,
        gate=gate,
    )
