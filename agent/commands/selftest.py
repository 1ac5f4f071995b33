"""`selftest`: the room checks itself now. It has succeeded when all was well, and else says what is not."""

from __future__ import annotations

from agent.commands.busy import why_busy
from agent.commands.deeds import failed, succeeded
from agent.commands.life import Ended, State
from agent.room import State as RoomState
from agent.room import TestAsked
from agent.unit import Unit


class SelftestDeed:
    """A Deed. A self-test that runs already is not what was asked for: another follows it."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._asked = False

    def begin(self) -> None:
        """Ask the room, unless it is testing now."""
        if self._unit.room.state != RoomState.TESTING:
            self._asked = True
            self._unit.room_event(TestAsked("command"))

    def tick(self) -> Ended | None:
        """Whether the room has ended its test, or somebody came in."""
        room = self._unit.room
        if why_busy(self._unit):
            return Ended(State.CANCELED, f"{why_busy(self._unit)}; the test was broken off")
        if not self._asked:
            self.begin()
            return None
        if room.state == RoomState.TESTING:
            return None
        figures = {f"probe_{f.probe}": f"{f.figure} {f.unit}".strip() for f in self._unit.figures if f.ok}
        if room.warnings:
            figures["warnings"] = ", ".join(room.warnings)
        return (
            succeeded(**figures) if room.ready else failed(", ".join(room.faults) or "broken off", **figures)
        )

    def stop(self) -> None:
        """The room ends it by itself, after 40 s at most."""
