"""What lamps and buzzer say, in one value that follows from the same state as the screen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from agent.room import Lamp, lamp
from agent.screen import HelpState
from firmware.patterns import DoorState, HelpSignal

if TYPE_CHECKING:
    from agent.unit import Unit

HELP_SIGNALS: dict[HelpState, HelpSignal] = {
    "none": "off",
    "sent": "calling",
    "unanswered": "calling",
    "answered": "answered",
}


@dataclass(frozen=True, slots=True)
class Lights:
    """door: the lamp at the door. muted: a session goes on, and the patient has turned the microphone off."""

    door: Lamp = Lamp.FREE
    help: HelpState = "none"
    locating: bool = False
    muted: bool = False


def lights(unit: Unit) -> Lights:
    """As it is now."""
    calling = HELP_SIGNALS[unit.help.state] == "calling"
    door = lamp(unit.room, unit.next_start(), unit.clock.now(), calling=calling)
    muted = unit.held() is not None and not unit.media.microphone
    return Lights(door, unit.help.state, unit.idle.locating, muted)


class LightPanel(Protocol):
    """What is lit (agent/room_panel.py)."""

    def door(self, state: DoorState) -> None: ...
    def help(self, signal: HelpSignal) -> None: ...
    def locate(self, on: bool) -> None: ...
    def muted(self, is_muted: bool) -> None: ...


def shows_on(panel: LightPanel) -> Callable[[Lights], None]:
    """For Unit.on_lights."""

    def show(lights: Lights) -> None:
        panel.door(lights.door.value)
        panel.help(HELP_SIGNALS[lights.help])
        panel.locate(lights.locating)
        panel.muted(lights.muted)

    return show
