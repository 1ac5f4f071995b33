"""`selftest`: the room checks itself now. It has succeeded when the test was made, whatever that found.

How the room is stands in the result: `level` (ok, warn, fail), `first`: the instruction to follow first
(agent/contract/instructions.py), and `reason`: why; all `faults` and `warnings` by key; and as `probe_<name>` the
figure of each probe that is well. It fails when the test could not be made: it did not end, or was broken off.
"""

from __future__ import annotations

from agent.commands.busy import why_busy
from agent.commands.deeds import failed, succeeded
from agent.commands.life import Ended, State
from agent.room import Room, TestAsked
from agent.room import State as RoomState
from agent.unit import Unit

REASON_CHARACTERS = 200
"""Of a reason, in a result."""


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
        if not room.was_whole:
            return failed(_why_not(room), **_found(room))
        return succeeded(**_found(room), **self._details(room))

    def _details(self, room: Room) -> dict[str, str]:
        """Why the first is told, and what is well."""
        unit, first = self._unit, next(iter((*room.faults, *room.warnings)), "")
        reason = next((each.reason for each in unit.verdicts if first and each.instruction == first), "")
        told = {"reason": reason[:REASON_CHARACTERS]} if reason else {}
        return told | {f"probe_{f.probe}": f"{f.figure} {f.unit}".strip() for f in unit.figures if f.ok}

    def stop(self) -> None:
        """The room ends it by itself, when its time is over (`test_within_s`)."""


def _why_not(room: Room) -> str:
    if "selftest" in room.faults:
        return "the self-test did not end; see the unit's log"
    return f"the self-test was broken off: {', '.join(room.faults) or 'the room was needed'}"


def _found(room: Room) -> dict[str, str]:
    """How the room is, by the instructions' keys."""
    listed = {"faults": ", ".join(room.faults), "warnings": ", ".join(room.warnings)}
    first = next(iter((*room.faults, *room.warnings)), "")
    level = "fail" if room.faults else "warn" if room.warnings else "ok"
    return {"level": level, **({"first": first} if first else {})} | {k: v for k, v in listed.items() if v}
