"""The region's configuration joined to a running agent. Wiring only: what applies it is in agent/applying.py."""

from __future__ import annotations

from functools import partial
from typing import Protocol

from agent.applying import Applying, Part
from agent.broker_link import BrokerLink
from agent.config import Settings, first_configuration
from agent.config_on_board import what_is_wrong_here
from agent.config_parts import DevicesPart, LinkPart, NetworkPart, PanelPart, PortsPart, ScreenPart
from agent.configuring import Ledger
from agent.contract import Topic
from agent.contract.unit_config import ConfigReport
from agent.room_panel import RoomPanel
from agent.unit import Unit
from agent.way_kept import WayKept
from agent.wire import Wire
from firmware.board import Board
from firmware.network import open_network


class RunningParts(Protocol):
    """What is used of agent.running.Running, which is imported late."""

    @property
    def wire(self) -> Wire: ...
    def use_devices(self, board: Board) -> None: ...
    def resize(self, width_mm: float, height_mm: float) -> None: ...


def join_configuration(
    *,
    settings: Settings,
    board: Board,
    unit: Unit,
    ledger: Ledger,
    running: RunningParts,
    panel: RoomPanel,
    link: BrokerLink,
) -> Applying:
    """Have `dn/config` heard, and what is in force used; to be ticked once a second.

    board is the profile as it came, without anything that the region has set.
    """
    wire, name = running.wire, unit_name(link)
    of_link = LinkPart(link, link.settings, unit.clock.monotonic_s)
    network = open_network(board.network, settings.state_dir / "network")
    parts: tuple[Part, ...] = (
        NetworkPart(network, of_link.renew, unit.clock.monotonic_s, trial_s=settings.trial_s),
        of_link,
        DevicesPart(unit, board, running.use_devices),
        PanelPart(board, panel),
        ScreenPart(board, running.resize),
        PortsPart(unit),
    )

    def say(report: ConfigReport, rev: int | None) -> None:
        wire.send(Topic(name, "up/config"), report, rev)

    applying = Applying(
        unit,
        ledger,
        first_configuration(settings),
        parts,
        check=partial(what_is_wrong_here, board),
        say=say,
        is_reached=wire.has_heard_since,
        nudge=wire.say_again,
        trial_s=settings.trial_s,
        keep_way=WayKept(settings.identity_dir, name).keep,
        each_second=network.tick,
    )
    applying.start()
    wire.on("dn/config", applying.config)
    wire.on_connection(of_link.connection)
    wire.on_connection(applying.connection)
    return applying


def unit_name(link: BrokerLink) -> str:
    """The unit's name, by which it is known to the broker."""
    return link.settings.client_id
