"""The room's panel joined to a running agent: its buttons, its lamps and what of it is broken. Wiring only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from agent.lights import shows_on
from agent.panel_buttons import PanelButtons
from agent.room_panel import RoomPanel
from agent.touches import Touches
from agent.unit import Unit
from agent.verdict import Verdict
from agent.wire import Wire
from firmware.panel import PanelEvents
from firmware.pins import PinsProfile

NOTE = "panel"
"""As the instruction of the text catalogues."""
REPORT_CHARACTERS = 500


class RunningParts(Protocol):
    """What is used of agent.running.Running, which is imported late."""

    checks: list[Callable[[], Verdict | None]]
    panel_report: Callable[[], str]

    @property
    def wire(self) -> Wire: ...
    @property
    def touches(self) -> Touches: ...


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
        self._info_changed: Callable[[], None] = lambda: None
        if self.panel.faults:
            unit.notes[NOTE] = tuple(self.panel.faults)

    def check(self) -> Verdict | None:
        """In a self-test: try again with what was not there. It is noted, and no fault of the room."""
        self.panel.mend()
        return None

    def _note(self) -> None:
        self._unit.note(NOTE, tuple(self.panel.faults))
        self._info_changed()

    def join(self, running: RunningParts) -> None:
        """Buttons do touches from now on, self-tests try again, and `up/info` says what there is."""
        self.buttons.do = running.touches.do
        running.checks.append(self.check)
        running.panel_report = self.report
        self._info_changed = running.wire.info_changed

    def report(self) -> str:
        """`camera_lamp, help_button; missing: mute_button (pin 20: …)`, or empty without a panel."""
        if not self.panel.is_wanted:
            return ""
        faults = self.panel.faults
        there = ", ".join(name for name in self.panel.parts if name not in faults)
        missing = ", ".join(f"{name} ({reason})" for name, reason in faults.items())
        return (f"{there}; missing: {missing}" if missing else there)[:REPORT_CHARACTERS]
