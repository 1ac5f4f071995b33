"""What keeps the unit itself in order, joined to the running agent: certificate, configuration, commands, figures.

Wiring only; each part has a module of its own.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from agent.config import Settings
from agent.contract import Topic
from agent.diagnostics.log_ring import LogRing
from agent.diagnostics.network_path import Way
from agent.diagnostics.service import Diagnostics
from agent.identity import Identity
from agent.link_figures import LinkFigures
from agent.unit import Unit
from agent.unit_figures import Sources, UnitFigures
from agent.wire import Wire
from firmware.board import Board


class Upkeep:
    """Made after unit and wire; used on the event loop."""

    def __init__(
        self, settings: Settings, board: Board, identity: Identity, unit: Unit, wire: Wire, *, boot: int
    ) -> None:
        self._ticks: list[Callable[[], None]] = []
        self._ring = LogRing()
        logging.getLogger().addHandler(self._ring)
        self.diagnostics = Diagnostics(
            settings,
            identity,
            unit,
            self._ring,
            way=lambda: Way(
                settings.broker_host, settings.broker_port, settings.ca_file, ice_urls=unit.ice_urls()
            ),
        )
        self.figures = self._make_figures(settings, identity, unit, wire)
        self._ticks.append(self.figures.tick)

    def _make_figures(self, settings: Settings, identity: Identity, unit: Unit, wire: Wire) -> UnitFigures:
        def link_figures() -> LinkFigures | None:
            return wire.link.figures if wire.link is not None else None

        sources = Sources(settings.state_dir, link=link_figures, screens=unit.screens)
        topic = Topic(identity.unit, "up/event/telemetry")
        return UnitFigures(unit, sources, send=lambda figures: wire.send(topic, figures))

    def tick(self) -> None:
        """Once a second."""
        for tick in self._ticks:
            tick()

    async def stop(self) -> None:
        """End what still runs."""
        logging.getLogger().removeHandler(self._ring)
