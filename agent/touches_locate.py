"""A touch on the large mark by which a unit is found ends the search."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from agent.screen import Outcome, Touch
from agent.unit import Unit


def locate_touches(unit: Unit) -> dict[str, Callable[[Touch], Awaitable[Outcome]]]:
    """What Touches does."""

    async def found(_touch: Touch) -> Outcome:
        unit.idle.locating = False
        return Outcome()

    return {"locate_found": found}
