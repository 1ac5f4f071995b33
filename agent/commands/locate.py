"""`locate`: the lamp at the door blinks, the buzzer beeps and the screen shows a large mark, so that somebody
on site finds the unit that IT speaks of. A touch ends it, and so does whoever comes in."""

from __future__ import annotations

from agent.commands.busy import why_busy
from agent.commands.deeds import succeeded
from agent.commands.life import Ended, Entry
from agent.unit import Unit

LOCATE_S = 60


class LocateDeed:
    """A Deed."""

    def __init__(self, unit: Unit, entry: Entry) -> None:
        self._unit = unit
        self._seconds = int(entry.arguments.get("seconds", LOCATE_S))
        self._until_s = 0.0

    def begin(self) -> None:
        """Be seen and heard."""
        self._until_s = self._unit.clock.monotonic_s() + self._seconds
        self._turn(True)

    def tick(self) -> Ended | None:
        """Until it was long enough, someone has touched the mark, or the room is needed."""
        unit = self._unit
        if not unit.idle.locating:
            return succeeded(ended="touched")
        reason = why_busy(unit)
        if reason or unit.clock.monotonic_s() >= self._until_s:
            self._turn(False)
            return succeeded(ended=reason or "in time")
        return None

    def stop(self) -> None:
        """Be still."""
        self._turn(False)

    def _turn(self, on: bool) -> None:
        self._unit.idle.locating = on
        self._unit.changed()
