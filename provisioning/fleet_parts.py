"""The fleet's parts of the region's service, joined to its worker. Wiring only.

| part | hears | does |
|---|---|---|
| CommandWire | `up/cmd` | publishes commands, follows, expires and clears them |
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from provisioning.command_wire import CommandWire
from provisioning.commands import WHAT as COMMAND
from provisioning.database import Database
from provisioning.hooks import Hooks
from provisioning.schedules import Publish
from provisioning.settings import RegionSettings


@dataclass(frozen=True, slots=True)
class FleetParts:
    """What the pages and the command line use of them."""


def join_fleet(
    hooks: Hooks,
    settings: RegionSettings,
    database: Database,
    publish: Publish,
    clock: Callable[[], datetime],
) -> FleetParts:
    """Make the parts and hook them to the worker."""
    _join_commands(hooks, CommandWire(database, publish, clock))
    return FleetParts()


def _join_commands(hooks: Hooks, commands: CommandWire) -> None:
    hooks.on_outbox(COMMAND, commands.publish)
    hooks.on_message("up/cmd", commands.heard)
    hooks.connected.append(commands.connected)
    hooks.ticks.append(commands.tick)
