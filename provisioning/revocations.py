"""Units that may not come in. The broker turns them away; what still came through the cracks ends here."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import select

from agent.contract import Message, Topic, encode
from agent.contract.status import Status
from provisioning.database import Database
from provisioning.fleet_models import Revocation
from provisioning.models import UnitReport
from provisioning.schedules import Publish

log = logging.getLogger(__name__)

LOOK_EVERY = timedelta(seconds=1)
"""Another instance of the region, or the command line, may have revoked one."""


class Revocations:
    """Used by the region's worker thread only."""

    def __init__(self, database: Database, publish: Publish, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._publish = publish
        self._clock = clock
        self._units: frozenset[str] = frozenset()
        self._looked_at: datetime | None = None

    def __contains__(self, unit: object) -> bool:
        now = self._clock()
        if self._looked_at is None or not timedelta(0) <= now - self._looked_at < LOOK_EVERY:
            self.look()
        return unit in self._units

    def look(self) -> None:
        """See who is revoked now."""
        with self._database.read() as db:
            self._units = frozenset(db.scalars(select(Revocation.unit_id)))
        self._looked_at = self._clock()

    def turns_away(self, unit: str, message: Message) -> bool:
        """Whether a message is nobody's business, being a revoked unit's or our own word in its place.

        A presence that got through before the broker had heard of the revocation, or a Last Will, is
        overwritten again: nobody sees a revoked unit as ready.
        """
        if message.topic.channel in {"up/enrol"} or unit not in self:
            return False
        if message.topic.channel == "up/status" and message.data.state != "revoked":
            self.say(unit)
        return True

    def say(self, unit: str) -> None:
        """Say at the broker, in the unit's place, that it is revoked; or clear that, if it is not any more."""
        topic = Topic(unit, "up/status")
        if unit not in self:
            self._publish(topic, b"")
            return
        with self._database.read() as db:
            report = db.get(UnitReport, unit)
        status = Status(state="revoked", boot=report.boot if report is not None else 0)
        self._publish(topic, encode(status, now=self._clock()))
