"""What the unit asks of the room's other parts, which are joined to it when it runs (agent/room_parts.py)."""

from __future__ import annotations

from typing import Protocol

from agent.contract.status import SoundOutput
from agent.screen import ScanView


class Scan(Protocol):
    """The page that reads QR codes (agent/scanning.py)."""

    @property
    def view(self) -> ScanView | None: ...
    @property
    def generation(self) -> int: ...
    def close(self) -> None: ...
    def tick(self) -> None: ...


class Sound(Protocol):
    """Where the room is heard (agent/sound_output.py)."""

    outputs: tuple[SoundOutput, ...]
    chosen: SoundOutput

    def reset(self) -> None: ...
