"""What the unit asks of its parts, which are joined to it when it runs (agent/running.py, agent/room_parts.py)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from agent.contract.events import Intent
from agent.contract.signalling import IceServer
from agent.contract.unit_config import SoundOutput
from agent.media.peer_use import EVERYTHING, PeerUse
from agent.room import Occasion
from agent.screen import ScanView


class Media(Protocol):
    """What the unit asks of camera, microphone and connections (agent/call_control.py)."""

    microphone: bool
    camera: bool
    generation: int
    failed: bool

    def open(self) -> None: ...
    def close(self) -> None: ...
    def connect(self, peer: str, ice_servers: tuple[IceServer, ...], use: PeerUse = EVERYTHING) -> None: ...
    def disconnect(self, peer: str) -> None: ...
    def show_to(self, peer: str, sees: bool) -> None: ...
    def hold(self, on: bool) -> None: ...
    def tick(self) -> None: ...


class Region(Protocol):
    """What the unit asks of the wire (agent/wire.py)."""

    @property
    def up(self) -> bool: ...
    def say_bye(self, sid: str, reason: str) -> None: ...
    def ask_resume(self, sid: str) -> None: ...
    def forget(self, sid: str) -> None: ...
    def state_changed(self) -> None: ...
    def event_added(self) -> None: ...
    def intent(self, kind: str, intent: Intent) -> bool: ...


@dataclass(slots=True)
class Tests:
    """How self-tests are started and broken off."""

    start: Callable[[Occasion], None]
    stop: Callable[[], None]


class Scan(Protocol):
    """The page that reads QR codes (agent/scanning.py)."""

    @property
    def view(self) -> ScanView | None: ...
    @property
    def generation(self) -> int: ...
    def stay(self) -> None: ...
    def close(self) -> None: ...
    def tick(self) -> None: ...


class Sound(Protocol):
    """Where the room is heard (agent/sound_output.py)."""

    outputs: tuple[SoundOutput, ...]
    chosen: SoundOutput

    def reset(self) -> None: ...
