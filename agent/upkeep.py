"""What keeps the unit itself in order, joined to the running agent: certificate, configuration, commands, figures.

Wiring only; each part has a module of its own.
"""

from __future__ import annotations

from collections.abc import Callable

from agent.clock_state import ClockState
from agent.config import Settings
from agent.identity import Identity
from agent.unit import Unit
from agent.wire import Wire
from firmware.board import Board


class Upkeep:
    """Made after unit and wire; used on the event loop."""

    def __init__(
        self,
        settings: Settings,
        board: Board,
        identity: Identity,
        unit: Unit,
        wire: Wire,
        *,
        boot: int,
        stop: Callable[[], None],
    ) -> None:
        self._stop = stop
        self.begins_anew = False
        """Whether the agent is to start again in the same process once it has stopped."""
        self.clock_state = ClockState(unit.clock, unit.store)
        self._ticks: list[Callable[[], None]] = [self.clock_state.tick]

    def begin_anew(self) -> None:
        """Stop everything in order, then start again."""
        self.begins_anew = True
        self._stop()

    def tick(self) -> None:
        """Once a second."""
        for tick in self._ticks:
            tick()

    async def stop(self) -> None:
        """End what still runs."""
