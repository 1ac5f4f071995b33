"""What keeps the unit itself in order, joined to the running agent: certificate, configuration, commands, figures.

Wiring only; each part has a module of its own.
"""

from __future__ import annotations

from collections.abc import Callable

from agent.commands.busy import why_busy
from agent.commands.deeds import Kind
from agent.commands.kinds import kinds
from agent.commands.runner import Commands, Start
from agent.config import Settings
from agent.identity import Identity
from agent.region_clock import BOOT_ID
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
        restart: Callable[[], None] = lambda: None,
    ) -> None:
        """restart() lets the agent begin anew, once everything has stopped in order."""
        self._ticks: list[Callable[[], None]] = []
        self._stops: list[Callable[[], None]] = []
        others: dict[str, Kind] = {}  # commands that other parts of the agent do
        known = kinds(unit, identity.unit, settings.state_dir, restart, others)
        self._join_commands(unit, identity.unit, wire, known, Start(boot, BOOT_ID.read_text().strip()))

    def _join_commands(self, unit: Unit, name: str, wire: Wire, known: dict[str, Kind], start: Start) -> None:
        commands = Commands(
            unit.store, unit.clock, name, wire.send, kinds=known, start=start, busy=lambda: why_busy(unit)
        )
        wire.on("dn/cmd", commands.heard)
        wire.on_cleared("dn/cmd", commands.cleared)
        wire.on_connection(commands.connection)
        commands.resume()
        self._ticks.append(commands.tick)
        self._stops.append(commands.stop)

    def tick(self) -> None:
        """Once a second."""
        for tick in self._ticks:
            tick()

    async def stop(self) -> None:
        """End what still runs."""
        for stop in reversed(self._stops):
            stop()
