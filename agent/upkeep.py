"""What keeps the unit itself in order, joined to the running agent: certificate, configuration, commands, figures.

Wiring only; each part has a module of its own.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping

from agent.broker_link import BrokerLink
from agent.clock_state import ClockState, is_synchronised
from agent.commands.busy import why_busy
from agent.commands.clock_source import clock_source, set_again
from agent.commands.deeds import InTask, Kind, Refused
from agent.commands.kinds import kinds
from agent.commands.repair_data import repair_deed
from agent.commands.runner import Commands, Start
from agent.config import Settings
from agent.contract import Topic
from agent.contract.status import Clock
from agent.diagnostics.log_ring import LogRing
from agent.diagnostics.network_path import Way
from agent.diagnostics.service import Diagnostics
from agent.diagnostics.upload import UploadError
from agent.helper import Helper
from agent.identity import Identity
from agent.link_figures import LinkFigures
from agent.region_clock import BOOT_ID
from agent.renewal import Renewal, RenewalError
from agent.storage import StorageWatch
from agent.unit import Unit
from agent.unit_figures import Sources, UnitFigures
from agent.update.joined import update_kinds
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
        storage: StorageWatch | None = None,
    ) -> None:
        """restart() lets the agent begin anew, once everything has stopped in order."""
        self._unit = unit
        self.clock_state = ClockState(unit.clock, unit.store)
        self._ticks: list[Callable[[], None]] = [self.clock_state.tick]
        self._ring = LogRing()
        logging.getLogger().addHandler(self._ring)
        self.diagnostics = Diagnostics(
            settings,
            identity,
            unit,
            self._ring,
            way=lambda: _way(settings, unit, wire),
        )
        self.figures = self._make_figures(settings, identity, unit, wire)
        self._ticks.append(self.figures.tick)
        self._stops: list[Callable[[], None]] = []
        self.renewal: Renewal | None = None
        """Set where the unit keeps its identities itself."""
        others = {
            "collect-diagnostics": Kind(
                lambda entry: InTask(lambda: self._collect(entry.arguments)), alone=False
            ),
            "renew-certificate": Kind(lambda _entry: InTask(self._renew), disturbs=True),
            "rotate-bootstrap": Kind(lambda _entry: InTask(self._rotate_bootstrap)),
            "repair-data": Kind(
                lambda _entry: repair_deed(
                    Helper(settings.state_dir / "helper"), lambda: storage.now if storage else None
                ),
                disturbs=True,
            ),
        }
        self.screen_alive: Callable[[], bool] = lambda: unit.screens() > 0
        """Whether the touchscreen shows a page; whoever knows better sets it."""
        others |= update_kinds(
            settings,
            unit,
            wire,
            way=lambda: _way(settings, unit, wire),
            screen_alive=self._is_screen_alive,
        )
        known = kinds(
            unit,
            identity.unit,
            settings.state_dir,
            restart,
            others,
            changed_info=wire.info_changed,
            sees_its_disk=lambda: storage is None or not storage.is_in_memory,
        )
        self.known_commands = tuple(sorted(known))
        self._join_commands(unit, identity.unit, wire, known, Start(boot, BOOT_ID.read_text().strip()))
        setting = asyncio.ensure_future(set_again(unit.store, Helper(settings.state_dir / "helper")))
        self._stops.append(lambda: _cancel(setting))

    def clock_report(self) -> Clock:
        """For `up/info`: the source that the region has set, while the kernel says nothing of another."""
        report = self.clock_state.report()
        return report.model_copy(update={"source": clock_source(self._unit.store)})

    async def _collect(self, arguments: Mapping[str, str]) -> dict[str, str]:
        try:
            return await self.diagnostics.collect_and_send(arguments.get("url", ""))
        except (UploadError, ValueError) as error:
            raise Refused(str(error)) from error

    async def _renew(self) -> dict[str, str]:
        try:
            return await self._renewal().renew()
        except RenewalError as error:
            raise Refused(str(error)) from error

    async def _rotate_bootstrap(self) -> dict[str, str]:
        try:
            return await self._renewal().rotate_bootstrap()
        except RenewalError as error:
            raise Refused(str(error)) from error

    def _renewal(self) -> Renewal:
        if self.renewal is None:
            raise Refused("this unit's certificate was made by hand; replace it in the same way")
        return self.renewal

    def _is_screen_alive(self) -> bool:
        return self.screen_alive()

    def _make_figures(self, settings: Settings, identity: Identity, unit: Unit, wire: Wire) -> UnitFigures:
        def link_figures() -> LinkFigures | None:
            return wire.link.figures if wire.link is not None else None

        sources = Sources(
            settings.state_dir,
            link=link_figures,
            synchronised=is_synchronised,
            screens=unit.screens,
            sys=settings.sys_dir,
        )
        topic = Topic(identity.unit, "up/event/telemetry")
        return UnitFigures(unit, sources, send=lambda figures: wire.send(topic, figures))

    def _join_commands(self, unit: Unit, name: str, wire: Wire, known: dict[str, Kind], start: Start) -> None:
        commands = Commands(
            unit.store, unit.clock, name, wire.send, kinds=known, start=start, busy=lambda: why_busy(unit)
        )
        wire.on("dn/cmd", commands.heard)
        wire.on_cleared("dn/cmd", commands.cleared)
        wire.on_connection(commands.connection)
        wire.after_ack(commands.acknowledged)
        commands.resume()
        self._ticks.append(commands.tick)
        self._stops.append(commands.stop)

    def first_every_second(self, tick: Callable[[], None]) -> None:
        """Have this called once a second, on the event loop, before the others: a fault of theirs keeps it from
        nothing."""
        self._ticks.insert(0, tick)

    def tick(self) -> None:
        """Once a second. Raises the first of what failed, when all have had their turn."""
        faults: list[Exception] = []
        for tick in self._ticks:
            try:
                tick()
            except Exception as error:
                faults.append(error)
        if faults:
            raise faults[0]

    async def stop(self) -> None:
        """End what still runs."""
        for stop in reversed(self._stops):
            stop()
        logging.getLogger().removeHandler(self._ring)


def _cancel(task: asyncio.Future[None]) -> None:
    task.cancel()


def _way(settings: Settings, unit: Unit, wire: Wire) -> Way:
    """Where the broker is now, which the region may have set."""
    ice_urls = unit.ice_urls()
    if not isinstance(wire.link, BrokerLink):
        return Way(settings.broker_host, settings.broker_port, settings.ca_file, ice_urls=ice_urls)
    link = wire.link.settings
    proxy = f"http://{link.proxy[0]}:{link.proxy[1]}" if link.proxy else None
    return Way(link.host, link.port, link.ca_file, extra_ca=link.extra_ca, proxy=proxy, ice_urls=ice_urls)
