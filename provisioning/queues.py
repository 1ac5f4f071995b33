"""Drop-in queues: a room asks a clinic for a clinician now, and the first clinician who can takes it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from agent.contract import Topic, encode
from agent.contract.events import Notice
from provisioning import meeting_log
from provisioning.accounts import clinic_named
from provisioning.booking import Booker
from provisioning.configurations import refresh_all
from provisioning.database import Database
from provisioning.dropins import DropIns
from provisioning.meeting_log import Entry
from provisioning.models import Clinic, Queue, QueueEntry, Room
from provisioning.room_config import queues_for
from provisioning.schedules import Publish
from provisioning.views import REACHABLE, room_value
from web.clinic.services import Account, NotAllowed, QueueRow, Refused, Waiting

TELL_EVERY = timedelta(seconds=15)
LOOK_EVERY = timedelta(seconds=1)
EXPIRES_AFTER = timedelta(hours=3)
"""Nobody sits in front of a screen for longer: the unit is away, or was forgotten."""
HALF_TAKEN = timedelta(seconds=30)
"""A region that was killed between taking and booking gives the room its place back."""
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


class Queues:
    """The queues and those who wait in them. Every method may be called on any thread."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def add(self, queue_id: str, name: str, clinic: str, rooms_of: Sequence[str] = ()) -> None:
        """Make a queue, or open a closed one again; raises Refused. `rooms_of`: whose rooms may ask."""
        if not _ID.fullmatch(queue_id):
            raise Refused("queue", "has an id of 1 to 40 lowercase letters, digits and hyphens")
        with self._database.write() as db:
            row = db.get(Queue, queue_id)
            if row is not None and row.active:
                raise Refused("queue", "exists already")
            known = set(db.scalars(select(Clinic.name)))
            unknown = [each for each in rooms_of if each not in known]
            if unknown:
                raise Refused("rooms_of", f"names a clinic that is not here: {unknown[0]}")
            row = row or Queue(id=queue_id)
            row.name, row.clinic, row.active = name.strip()[:120] or queue_id, clinic_named(db, clinic), True
            row.rooms_of = list(rooms_of)
            db.add(row)
            db.flush()
            refresh_all(db, self._clock())

    def remove(self, queue_id: str) -> None:
        """Close a queue; those who wait in it are told. Raises Refused."""
        with self._database.write() as db:
            row = db.get(Queue, queue_id)
            if row is None or not row.active:
                raise Refused("queue", "is not known")
            row.active = False
            for entry in _waiting(db, queue_id):
                _close(entry, "cancelled", self._clock())
            db.flush()
            refresh_all(db, self._clock())

    def list(self) -> Sequence[tuple[Queue, int]]:
        """All open queues, and how many wait in each."""
        with self._database.read() as db:
            rows = db.scalars(select(Queue).where(Queue.active.is_(True)).order_by(Queue.id)).all()
            return [(row, len(_waiting(db, row.id))) for row in rows]

    # From the units

    def ask(self, unit: str, queue_id: str, by: str | None) -> str:
        """A room joins a queue; one that waits there already keeps its place. Says why not, or nothing."""
        now = self._clock()
        with self._database.write() as db:
            room = db.scalar(
                select(Room).where(Room.unit_id == unit).with_for_update(of=Room, key_share=True)
            )
            if room is None:
                return "no_such_room"
            if queue_id not in {queue.id for queue in queues_for(db, room)}:
                return "no_queue"
            for entry in _of_room(db, room.id):
                if entry.queue_id == queue_id:
                    return ""
                _close(entry, "cancelled", now)
            # What became of an earlier wait concerns nobody any more.
            db.execute(update(QueueEntry).where(QueueEntry.room_id == room.id).values(told=True))
            entry = QueueEntry(
                queue_id=queue_id, room_id=room.id, unit_id=unit, since=now, asked_by=by, changed_at=now
            )
            db.add(entry)
            _log(db, "queue_joined", now, unit, queue=queue_id, room=room.id, staff=by or "")
        return ""

    def leave(self, unit: str) -> bool:
        """The room waits no longer: it was told so, or has another session. True if it did wait."""
        now = self._clock()
        with self._database.write() as db:
            room = db.scalar(select(Room).where(Room.unit_id == unit))
            entries = _of_room(db, room.id) if room is not None else []
            for entry in entries:
                _close(entry, "cancelled", now)
                _log(db, "queue_left", now, unit, queue=entry.queue_id, room=entry.room_id)
            return bool(entries)


class Intake:
    """A clinic's people look at their queues, and take the next. Every method may be called on any thread."""

    def __init__(self, database: Database, drop_ins: DropIns, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._drop_ins = drop_ins
        self._clock = clock

    def queues(self, account: Account) -> Sequence[QueueRow]:
        """The queues of the account's clinic, and who waits in them."""
        with self._database.read() as db:
            query = select(Queue).join(Clinic).where(Clinic.name == account.clinic, Queue.active.is_(True))
            return [
                QueueRow(
                    row.id,
                    row.name,
                    tuple(
                        Waiting(each.id, room_value(db, each.room), each.since)
                        for each in _waiting(db, row.id)
                    ),
                )
                for row in db.scalars(query.order_by(Queue.name, Queue.id))
            ]

    def take(self, account: Account, queue_id: str, entry_id: int | None) -> str:
        """Take a waiting room and book it from now for the queue's clinic; raises Refused or NotAllowed."""
        if account.role != "clinician":
            raise NotAllowed("patients are taken by clinicians")
        entry, room, clinic_id = self._claim(account, queue_id, entry_id)
        booker = Booker(account.id, account.role, account.identified, room.clinic_id)
        served_by = clinic_id if clinic_id != room.clinic_id else None
        try:
            # Who is asked for now is let in at once: taking is admitting.
            sid = self._drop_ins.book(room, booker, served_by, waiting_room=False)
        except Refused:
            self._settle(entry, None)
            raise Refused("room", "is taken now, so that nobody waits there any more") from None
        self._settle(entry, sid, booker)
        return sid

    def _claim(self, account: Account, queue_id: str, entry_id: int | None) -> tuple[int, Room, int]:
        """Of two who take the same one at once, one gets it: SQLite writes one at a time, others lock rows."""
        now = self._clock()
        with self._database.write() as db:
            queue = db.get(Queue, queue_id, with_for_update={"of": Queue})
            if queue is None or not queue.active:
                raise Refused("queue", "is not known")
            if queue.clinic.name != account.clinic:
                raise NotAllowed("this queue is another clinic's")
            waiting = _waiting(db, queue_id)
            if entry_id is None and not waiting:
                raise Refused("queue", "is empty")
            entry = next((each for each in waiting if entry_id in {None, each.id}), None)
            if entry is None:
                raise Refused("entry", "was taken by a colleague, or waits no longer")
            if entry.room.unit_id is None or room_value(db, entry.room).unit_state not in REACHABLE:
                raise Refused("room", "is out of reach now; it keeps its place")
            entry.state, entry.taken_by, entry.changed_at = "taken", account.id, now
            return entry.id, entry.room, queue.clinic_id

    def _settle(self, entry_id: int, sid: str | None, by: Booker | None = None) -> None:
        now = self._clock()
        with self._database.write() as db:
            entry = db.get_one(QueueEntry, entry_id)
            entry.sid = sid
            if sid is None or by is None:
                _close(entry, "cancelled", now)
                return
            fields = {"by": by.id, "role": by.role, "identified": by.identified}
            fields |= {"queue": entry.queue_id, "room": entry.room_id}
            meeting_log.append(db, Entry("queue_taken", now, sid=sid, fields=fields))


class Places:
    """Tells the rooms their places. Used by the region's worker thread only."""

    def __init__(self, database: Database, publish: Publish, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._publish = publish
        self._clock = clock
        self._told: dict[str, tuple[str, int]] = {}
        self._told_at: datetime | None = None
        self._looked_at: datetime | None = None

    def forget(self, unit: str) -> None:
        """A unit has started or was lost: tell it anew."""
        self._told.pop(unit, None)
        self._looked_at = None

    def tick(self) -> bool:
        """Tell what has changed at once, and everything every 15 s; True if someone's place has changed."""
        now = self._clock()
        if self._looked_at is not None and self._looked_at <= now < self._looked_at + LOOK_EVERY:
            return False
        self._looked_at = now
        self._tidy(now)
        with self._database.read() as db:
            places = _places(db)
            ended = db.scalars(
                select(QueueEntry).where(
                    QueueEntry.state.in_(("cancelled", "expired")), QueueEntry.told.is_(False)
                )
            ).all()
        changed = places != self._told
        if self._told_at is None or not self._told_at <= now < self._told_at + TELL_EVERY:
            self._told, self._told_at = {}, now
        for unit, (queue, place) in places.items():
            if self._told.get(unit) != (queue, place) and self._tell(unit, Notice(queue=queue, place=place)):
                self._told[unit] = (queue, place)
        self._told = {unit: told for unit, told in self._told.items() if unit in places}
        self._tell_ended([row for row in ended if row.unit_id not in places])
        return changed

    def _tell_ended(self, entries: Sequence[QueueEntry]) -> None:
        done = [entry.id for entry in entries if self._tell(entry.unit_id, Notice())]
        if done:
            with self._database.write() as db:
                for row in db.scalars(select(QueueEntry).where(QueueEntry.id.in_(done))):
                    row.told = True

    def _tell(self, unit: str, notice: Notice) -> bool:
        return self._publish(Topic(unit, "dn/notice", ("queue",)), encode(notice, now=self._clock()))

    def _tidy(self, now: datetime) -> None:
        old = select(QueueEntry).where(QueueEntry.state == "waiting", QueueEntry.since < now - EXPIRES_AFTER)
        half = select(QueueEntry).where(
            QueueEntry.state == "taken",
            QueueEntry.sid.is_(None),
            QueueEntry.changed_at < now - HALF_TAKEN,
        )
        with self._database.read() as db:
            if db.scalar(old.limit(1)) is None and db.scalar(half.limit(1)) is None:
                return
        with self._database.write() as db:
            # Looked for anew: one may have been taken, or booked, between the two.
            for entry in db.scalars(old.with_for_update(of=QueueEntry)):
                _close(entry, "expired", now)
            for entry in db.scalars(half.with_for_update(of=QueueEntry)):
                entry.state, entry.taken_by = "waiting", None


def _waiting(db: Session, queue_id: str) -> list[QueueEntry]:
    """First come, first."""
    query = select(QueueEntry).where(QueueEntry.queue_id == queue_id, QueueEntry.state == "waiting")
    return list(db.scalars(query.order_by(QueueEntry.since, QueueEntry.id)))


def _of_room(db: Session, room_id: str) -> list[QueueEntry]:
    query = select(QueueEntry).where(QueueEntry.room_id == room_id, QueueEntry.state == "waiting")
    return list(db.scalars(query))


def _places(db: Session) -> dict[str, tuple[str, int]]:
    """Each waiting unit's queue and place in it, 1 is next."""
    query = select(QueueEntry).where(QueueEntry.state == "waiting").order_by(QueueEntry.since, QueueEntry.id)
    places: dict[str, tuple[str, int]] = {}
    lengths: dict[str, int] = {}
    for entry in db.scalars(query):
        lengths[entry.queue_id] = lengths.get(entry.queue_id, 0) + 1
        if entry.room.unit_id is not None:
            places[entry.room.unit_id] = (entry.queue_id, lengths[entry.queue_id])
    return places


def _close(entry: QueueEntry, state: str, now: datetime) -> None:
    entry.state, entry.changed_at = state, now


def _log(db: Session, kind: str, now: datetime, unit: str, **fields: str) -> None:
    told = {name: value for name, value in fields.items() if value}
    meeting_log.append(db, Entry(kind, now, unit=unit, fields=told))
