"""Clinics are told of their rooms that are booked and not ready, and again when they are well.

What is to be told is decided on the worker thread and kept (`notices`); threads of their own send it
(provisioning.notice_sender). So a restart forgets nothing, and a mail server that is slow holds up nobody.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import Session

from agent.contract.instructions import LOST
from provisioning import unit_faults
from provisioning.database import Database
from provisioning.models import Clinic, Room, RoomUnit
from provisioning.notice_plan import Decided, Open, Standing, decide
from provisioning.readiness import Lack, NotReady, not_ready_today, rooms_and_lacks
from provisioning.readiness_models import Notice, NoticeRecipient, UnitFault
from provisioning.silence import Listening, heard_again, newly_silent
from provisioning.unit_faults import SPEAKS_OF_TESTS

log = logging.getLogger(__name__)

LOOK_EVERY = timedelta(seconds=5)
KEPT = timedelta(days=180)
FORGET_EVERY = timedelta(hours=1)


class NoticeWatch:
    """Used by the region's worker thread only."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        zone: ZoneInfo,
        made: Callable[[], None] = lambda: None,
        up: Callable[[], bool] = lambda: False,
    ) -> None:
        """made() is called when there is something to send. up: whether the broker is connected."""
        self._database = database
        self._clock = clock
        self._zone = zone
        self._made = made
        self._listening = Listening(up)
        self._looked_at: datetime | None = None
        self._forgot_at: datetime | None = None

    def tick(self) -> None:
        """Every few seconds; once an hour what is too old is forgotten."""
        now = self._clock()
        self._listening.look(now)
        if self._looked_at is None or now - self._looked_at >= LOOK_EVERY:
            self._looked_at = now
            self.look()
        if self._forgot_at is None or now - self._forgot_at >= FORGET_EVERY:
            self._forgot_at = now
            with self._database.write() as db:
                unit_faults.forget_old(db, now)
                db.execute(delete(Notice).where(Notice.made_at < now - KEPT))

    def look(self) -> None:
        """Note the units that are lost while they are booked, and decide what is to be told."""
        now = self._clock()
        with self._database.read() as db:
            lines = not_ready_today(db, None, now, self._zone)
            listening = _clinics_that_listen(db)
            opened = _opened(db)
            standings = _standings(db, opened, now)
            silent = newly_silent(db, now, self._zone) if self._listening.look(now) else {}
            back = heard_again(db, now)
        newly_lost = {
            line.unit or "": line.since or now
            for line in lines
            if line.instruction == LOST and line.lacks[0].fault_id is None
        } | silent
        decided = decide([line for line in lines if line.clinic in listening], standings, opened, now)
        if newly_lost or back or decided != Decided((), (), ()):
            with self._database.write() as db:
                unit_faults.close(db, back, now)
                for unit, since in newly_lost.items():
                    unit_faults.lost(db, unit, since)
                _keep(db, decided, now)
            self._made()


def _keep(db: Session, decided: Decided, now: datetime) -> None:
    dropped = db.scalars(select(Notice).where(Notice.id.in_(decided.drop), Notice.state == "waiting"))
    for notice in dropped:
        notice.state, notice.over_at = "dropped", now
    for room_id in decided.well:
        _say_well(db, room_id, now)
    for line, lack in decided.tell:
        _tell(db, line, lack, now)


def _tell(db: Session, line: NotReady, lack: Lack, now: datetime) -> None:
    query = (
        select(NoticeRecipient)
        .join(Room, Room.clinic_id == NoticeRecipient.clinic_id)
        .where(Room.id == line.room_id, NoticeRecipient.active.is_(True))
    )
    told = 0
    for recipient in db.scalars(query.order_by(NoticeRecipient.id)):
        for channel in channels_of(recipient):
            told += 1
            db.add(
                Notice(
                    recipient_id=recipient.id,
                    channel=channel,
                    kind="fault",
                    room_id=line.room_id,
                    unit_id=line.unit or "",
                    fault_id=lack.fault_id or 0,
                    instruction=lack.instruction,
                    level=lack.level,
                    since=lack.since or now,
                    next_start=line.next.start,
                    ref=line.next.ref,
                    made_at=now,
                    next_try_at=now,
                )
            )
    if told:
        log.info("room %s is not ready (%s): %d notices", line.room_id, lack.instruction, told)


def _say_well(db: Session, room_id: str, now: datetime) -> None:
    """To each who was told, once; what was not sent by now is not sent any more."""
    told: dict[tuple[int | None, str], Notice] = {}
    for notice in db.scalars(_of_open_episodes().where(Notice.room_id == room_id).order_by(Notice.id)):
        notice.over_at = now
        if notice.state == "sent":
            told[notice.recipient_id, notice.channel] = notice
        elif notice.state == "waiting":
            notice.state = "dropped"
    for notice in told.values():
        db.add(well_after(notice, now))
    log.info("room %s is ready again: %d notices", room_id, len(told))


def well_after(notice: Notice, now: datetime) -> Notice:
    """The news that what a notice told of is over."""
    return Notice(
        recipient_id=notice.recipient_id,
        channel=notice.channel,
        kind="well",
        room_id=notice.room_id,
        unit_id=notice.unit_id,
        fault_id=notice.fault_id,
        instruction=notice.instruction,
        level=notice.level,
        since=notice.since,
        made_at=now,
        next_try_at=now,
        over_at=now,
    )


def channels_of(recipient: NoticeRecipient) -> list[str]:
    """How they are reached."""
    ways = {"email": recipient.email, "webhook": recipient.webhook}
    return [channel for channel, address in ways.items() if address]


def _of_open_episodes() -> Select[Any]:
    """Notices of faults in rooms that have not been said to be well since."""
    return select(Notice).where(Notice.kind == "fault", Notice.over_at.is_(None))


def _opened(db: Session) -> list[Open]:
    return [
        Open(row.id, row.room_id, row.unit_id, row.instruction, row.state)
        for row in db.scalars(_of_open_episodes())
    ]


def _standings(db: Session, opened: Sequence[Open], now: datetime) -> dict[str, Standing]:
    """By room. One that is not there any more has no test, and so is never said to be well."""
    told_units = {each.unit_id for each in opened}
    # Not what was told alone: a fault that comes and goes is another row each time.
    query = select(UnitFault.unit_id, func.max(UnitFault.until)).where(UnitFault.unit_id.in_(told_units))
    ends = {row[0]: row[1] for row in db.execute(query.group_by(UnitFault.unit_id))}
    rooms = {each.room_id for each in opened}
    placed = _placed(db, rooms)
    found = {room: Standing((), has_test=False, well_since=None) for room in rooms}
    for room, report, lacks in rooms_and_lacks(db, now, Room.id.in_(rooms)):
        over = [ends.get(each.unit_id) for each in opened if each.room_id == room.id]
        over.append(placed.get(room.id))  # what was wrong may have been the unit, or that there was none
        has_test = report is not None and report.state in SPEAKS_OF_TESTS
        found[room.id] = Standing(lacks, has_test, max((at for at in over if at), default=None))
    return found


def _placed(db: Session, rooms: Collection[str]) -> dict[str, datetime]:
    """When the units that stand in rooms were put there."""
    query = select(RoomUnit.room_id, func.max(RoomUnit.since)).where(RoomUnit.room_id.in_(rooms))
    rows = db.execute(query.where(RoomUnit.until.is_(None)).group_by(RoomUnit.room_id))
    return {room: since for room, since in rows if since is not None}


def _clinics_that_listen(db: Session) -> set[str]:
    query = select(Clinic.name).join(NoticeRecipient, NoticeRecipient.clinic_id == Clinic.id)
    return set(db.scalars(query.where(NoticeRecipient.active.is_(True)).distinct()))
