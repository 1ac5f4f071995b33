"""Why the room is not to be disturbed now. What would be seen or heard by whoever is there waits."""

from __future__ import annotations

from agent.room import State
from agent.unit import Unit


def why_busy(unit: Unit) -> str:
    """A reason in words for IT, which tells of nobody; empty when the room is free."""
    if unit.held() is not None or unit.room.state == State.OCCUPIED:
        return "someone is in the room"
    if unit.room.state == State.SCANNING:
        return "someone is checking in"
    if unit.desk.place is not None:
        return "someone waits for a clinician"
    if unit.help.state != "none":
        return "someone calls for help"
    return ""
