"""What a new system has to show before it is kept: that the region answers it, that the room is as well as before,
and that the touchscreen lives."""

from __future__ import annotations

from collections.abc import Callable, Collection

from agent.unit import Unit


class Proof:
    """Used on the event loop. heard() is called when the region has answered over the present connection."""

    def __init__(self, unit: Unit, screen_alive: Callable[[], bool]) -> None:
        self._unit = unit
        self._screen_alive = screen_alive
        self._region_answered = False

    def heard(self) -> None:
        """`dn/ack` has come since this start of the agent."""
        self._region_answered = True

    def faults(self) -> tuple[str, ...]:
        """What the room's self-test finds wrong now."""
        return self._unit.room.faults

    def lacking(self, faults_before: Collection[str]) -> str:
        """What is still to be shown, in words for IT; empty when all is."""
        room = self._unit.room
        new = [fault for fault in room.faults if fault not in faults_before]
        missing = [
            "" if self._region_answered else "the region has not answered",
            "" if room.tested_at is not None else "the self-test has not ended",
            f"the self-test fails as it did not before: {', '.join(new)}" if new else "",
            "" if self._screen_alive() else "the touchscreen is dark",
        ]
        return "; ".join(part for part in missing if part)
