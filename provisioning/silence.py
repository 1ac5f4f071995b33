"""Units that fell silent without the broker having said their Last Will: it was restarted meanwhile, or lost it.

Units send figures every minute, and those are retained nowhere: they alone are a sign of life that a broker cannot
give for a unit that is gone. One that has never sent any is not judged. Nobody is judged either while the region
itself has not listened for that long: after its own restart, or the broker's, all seem silent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session

from agent.contract.instructions import LOST
from provisioning.fleet_health import CONNECTED, SILENT_AFTER
from provisioning.fleet_models import TelemetryRow
from provisioning.models import BookedSession, Room, UnitReport
from provisioning.readiness import booked_until
from provisioning.readiness_models import UnitFault
from provisioning.views import OVER


class Listening:
    """Since when the region hears the broker, without a break."""

    def __init__(self, up: Callable[[], bool]) -> None:
        """up: whether the broker is connected."""
        self._up = up
        self._since: datetime | None = None

    def look(self, now: datetime) -> bool:
        """To be asked at every tick: whether it has listened long enough to call others silent."""
        if not self._up():
            self._since = None
            return False
        self._since = self._since or now
        return now - self._since > SILENT_AFTER


def is_silent(db: Session, unit: str, now: datetime) -> bool:
    """Whether a unit that is said to be there gives no sign any more."""
    return db.scalar(_last_signs(now).where(UnitReport.unit_id == unit)) is not None


def newly_silent(db: Session, now: datetime, zone: ZoneInfo) -> dict[str, datetime]:
    """Units of booked rooms that are silent and not yet noted as lost, with their last sign."""
    is_booked = exists().where(
        BookedSession.room_id == Room.id,
        BookedSession.cancelled.is_(False),
        BookedSession.state.not_in(OVER),
        BookedSession.end > now,
        BookedSession.start < booked_until(now, zone),
    )
    noted = exists().where(UnitFault.unit_id == UnitReport.unit_id, *_is_noted())
    query = _last_signs(now).join(Room, Room.unit_id == UnitReport.unit_id).where(is_booked, ~noted)
    return {unit: max(heard_at, since or heard_at) for unit, heard_at, since in db.execute(query)}


def heard_again(db: Session, now: datetime) -> Sequence[int]:
    """Rows of units noted as lost that are said to be there and give signs."""
    query = (
        select(UnitFault.id)
        .join(UnitReport, UnitReport.unit_id == UnitFault.unit_id)
        .join(TelemetryRow, TelemetryRow.unit_id == UnitFault.unit_id)
        .where(*_is_noted(), UnitReport.state.in_(CONNECTED))
        .where(TelemetryRow.heard_at > UnitFault.since, TelemetryRow.heard_at >= now - SILENT_AFTER)
    )
    return db.scalars(query).all()


def _is_noted() -> tuple[ColumnElement[bool], ...]:
    return UnitFault.instruction == LOST, UnitFault.until.is_(None)


def _last_signs(now: datetime) -> Any:  # noqa: ANN401 - a Select of three columns
    before = now - SILENT_AFTER
    has_not_changed = or_(UnitReport.since.is_(None), UnitReport.since < before)
    return (
        select(UnitReport.unit_id, TelemetryRow.heard_at, UnitReport.since)
        .join(TelemetryRow, TelemetryRow.unit_id == UnitReport.unit_id)
        .where(and_(UnitReport.state.in_(CONNECTED), has_not_changed, TelemetryRow.heard_at < before))
    )
