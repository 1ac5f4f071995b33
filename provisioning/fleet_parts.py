"""The fleet's parts of the region's service, joined to its worker. Wiring only.

| part | hears | does |
|---|---|---|
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

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
    return FleetParts()
