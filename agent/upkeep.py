"""What keeps the unit itself in order, joined to the running agent: certificate, configuration, commands, figures.

Wiring only; each part has a module of its own.
"""

from __future__ import annotations

from collections.abc import Callable

from agent.config import Settings
from agent.identity import Identity
from agent.unit import Unit
from agent.wire import Wire
from firmware.board import Board


class Upkeep:
    """Made after unit and wire; used on the event loop."""

    def __init__(
        self, settings: Settings, board: Board, identity: Identity, unit: Unit, wire: Wire, *, boot: int
    ) -> None:
        self._ticks: list[Callable[[], None]] = []

    def every_second(self, tick: Callable[[], None]) -> None:
        """Have this called once a second, on the event loop."""
        self._ticks.append(tick)

    def tick(self) -> None:
        """Once a second."""
        for tick in self._ticks:
            tick()

    async def stop(self) -> None:
        """End what still runs."""
