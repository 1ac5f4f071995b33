"""Scanning and sound output of a running agent, joined to the unit. Part of the wiring (agent/running.py)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from agent.media.capture import CaptureSettings
from agent.media.facts import CallSettings
from agent.media.scan_camera import ScanCamera
from agent.scan_media import ScanMedia
from agent.scanning import Scanning
from agent.sound_output import MockSinks, SoundOutputs, set_output
from agent.touches import Touches
from agent.touches_scan import scan_touches
from agent.touches_sound import sound_touches
from agent.unit import Unit
from firmware.board import Board


class RoomParts:
    """What the room has beside its calls. Settings are asked for at each opening, since they change."""

    def __init__(
        self,
        unit: Unit,
        board: Board,
        touches: Touches,
        *,
        capture_settings: Callable[[], CaptureSettings],
        call_settings: Callable[[], CallSettings],
        before_open: Callable[[], Awaitable[None]],
        next_generation: Callable[[], int],
    ) -> None:
        self.scan_media = ScanMedia(
            lambda: ScanCamera(capture_settings(), call_settings(), on_text=self.scanning.read),
            before_open=before_open,
            next_generation=next_generation,
            on_opened=unit.changed,
            on_failed=self._failed,
        )
        self.scanning = Scanning(unit, self.scan_media, touches.check_in)
        real = board.loudspeaker.kind == "pipewire"
        self.sound = SoundOutputs(
            board.loudspeaker.outputs,
            set_output if real else MockSinks().set_output,
            default=lambda: unit.configuration.sound_output,
        )
        unit.scan, unit.sound = self.scanning, self.sound
        self.sound.choose(self.sound.default)  # a session that ended with the agent may have left another
        touches.add(scan_touches(self.scanning))
        touches.add(sound_touches(unit, self.sound))

    def _failed(self) -> None:
        self.scanning.failed()

    async def stop(self) -> None:
        """Close the camera."""
        await self.scan_media.stop()
        await self.sound.stop()
