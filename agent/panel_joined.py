"""The room's panel joined to a running agent: its buttons, its lamps and what of it is broken. Wiring only."""

from __future__ import annotations

from collections.abc import Callable

from agent.lights import shows_on
from agent.panel_buttons import PanelButtons
from agent.room_panel import RoomPanel
from agent.selftest import Verdict
from agent.unit import Unit
from firmware.panel import PanelEvents
from firmware.pins import PinsProfile

INSTRUCTION = "panel"
"""Of the text catalogues: instruction.panel."""


class JoinedPanel:
    """on_loop(work) has something done on the event loop, from any thread."""

    def __init__(self, pins: PinsProfile, unit: Unit, on_loop: Callable[[Callable[[], None]], None]) -> None:
        self._unit = unit
        self.buttons = PanelButtons(unit)
        events = PanelEvents(
            on_start=lambda: on_loop(self.buttons.start),
            on_help=lambda: on_loop(self.buttons.help),
            on_mute=lambda: on_loop(self.buttons.mute),
            on_presence=lambda _present: on_loop(unit.changed),
            on_faults=lambda: on_loop(self._note),
        )
        self.panel = RoomPanel(pins, events)
        unit.on_lights = shows_on(self.panel)
        unit.present = lambda: self.panel.present
        unit.notes = {INSTRUCTION: tuple(self.panel.faults)} if self.panel.faults else {}

    def check(self) -> Verdict | None:
        """In a self-test: try again with what was not there. It is noted, and no fault of the room."""
        self.panel.mend()
        return None

    def _note(self) -> None:
        self._unit.note(INSTRUCTION, tuple(self.panel.faults))
