"""The last figures of each unit (agent.contract.telemetry). Losing some harms nobody; no history is kept here."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from agent.contract import Message
from agent.contract.telemetry import Telemetry
from provisioning.database import Database
from provisioning.fleet_models import TelemetryRow
from provisioning.models import Unit

log = logging.getLogger(__name__)

WRITE_AFTER = timedelta(seconds=5)
"""Two thousand units say 33 a second: each transaction takes many."""
MOST_WAITING = 500


class FleetTelemetry:
    """Used by the region's worker thread only."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._waiting: dict[str, tuple[datetime, Telemetry]] = {}
        self._since: datetime | None = None

    def take(self, unit: str, message: Message) -> None:
        """Note a unit's figures; they are written with others'."""
        now = self._clock()
        self._waiting[unit] = (now, message.data)
        self._since = self._since or now
        if len(self._waiting) >= MOST_WAITING:
            self.write()

    def tick(self) -> None:
        """Write what has waited long enough."""
        if self._since is not None and self._clock() - self._since >= WRITE_AFTER:
            self.write()

    def write(self) -> None:
        """All that waits, in one transaction; units that are not known leave nothing."""
        waiting, self._waiting, self._since = self._waiting, {}, None
        with self._database.write() as db:
            for unit in sorted(waiting):
                heard_at, figures = waiting[unit]
                row = db.get(TelemetryRow, unit)
                if row is None:
                    if db.get(Unit, unit) is None:
                        log.info("figures of unit %s dropped: it is not known", unit)
                        continue
                    row = TelemetryRow(unit_id=unit)
                    db.add(row)
                row.at, row.heard_at = figures.at, heard_at
                row.figures = figures.model_dump(mode="json", exclude={"at"}, exclude_none=True)
