"""Sends what is to be told, over one channel, on a thread of its own: tried again and given up as decided.

A try is counted before it is made, and "sent" is noted after it. Who is cut off between the two sends once more
after the restart, under the same id (Message-ID, webhook-id), by which receivers know it; nothing is forgotten.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from threading import Event, Thread

from sqlalchemy import select
from sqlalchemy.orm import Session

from agent.faults import kind_and_place
from provisioning.database import Database
from provisioning.models import Room
from provisioning.notice_channels import Channel, NotSent
from provisioning.notice_plan import GIVE_UP_AFTER, again_after
from provisioning.notice_text import Message
from provisioning.notices import well_after
from provisioning.readiness import next_session
from provisioning.readiness_models import Notice, NoticeRecipient

log = logging.getLogger(__name__)

LOOK_EVERY_S = 5.0
"""Also without being woken: for what is to be tried again."""
STOP_TIMEOUT_S = 1.0
"""A try that takes longer is cut off with the process, and made again after its restart."""


class NoticeSender:
    """start, stop and wake on any thread."""

    def __init__(
        self,
        name: str,
        channel: Channel,
        database: Database,
        clock: Callable[[], datetime],
        leads: Callable[[], bool] = lambda: True,
    ) -> None:
        """name: `email` or `webhook`. leads: whether this instance of the region is the one that acts."""
        self._name = name
        self._channel = channel
        self._database = database
        self._clock = clock
        self._leads = leads
        self._woken = Event()
        self._stopping = False
        self._thread = Thread(target=self._run, name=f"notices-{name}", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> None:
        """Send nothing more; what is not sent waits for the next start."""
        self._stopping = True
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(STOP_TIMEOUT_S)

    def wake(self) -> None:
        """There is something to send."""
        self._woken.set()

    def _run(self) -> None:
        while not self._stopping:
            try:
                self.send_due()
            except Exception as error:
                # Such as a database that is away for a while; what waits is still there then.
                log.error("notices by %s: %s", self._name, kind_and_place(error))  # noqa: TRY400
            self._woken.wait(LOOK_EVERY_S)
            self._woken.clear()

    def send_due(self) -> None:
        """Try each notice whose time has come: the least tried first, so that a receiver that hangs, and is tried
        again and again, keeps what is new for others waiting for one try at most."""
        began = self._clock()
        while not self._stopping and self._leads():
            query = select(Notice.id).where(
                Notice.state == "waiting", Notice.channel == self._name, Notice.next_try_at <= began
            )
            with self._database.read() as db:
                due = db.scalar(query.order_by(Notice.tries, Notice.id).limit(1))
            if due is None:
                return
            self._try(due)

    def _try(self, notice_id: int) -> None:
        claimed = self._claim(notice_id)
        if claimed is None:
            return
        to, message = claimed
        try:
            self._channel.send(to, message)
        except NotSent as error:
            self._failed(notice_id, str(error))
        except Exception as error:
            # A fault of ours: one notice must not keep the others, and is given up like any. Its text may hold an
            # address.
            self._failed(notice_id, kind_and_place(error))
        else:
            self._sent(notice_id)

    def _claim(self, notice_id: int) -> tuple[str, Message] | None:
        now = self._clock()
        with self._database.write() as db:
            row = db.get(Notice, notice_id, with_for_update={"of": Notice})
            if row is None or row.state != "waiting":
                return None
            recipient = row.recipient
            to = (recipient.email if self._name == "email" else recipient.webhook) if recipient else None
            if recipient is None or not recipient.active or to is None:
                row.state, row.over_at = "dropped", row.over_at or now
                return None
            row.tries += 1
            row.next_try_at = now + again_after(row.tries)
            if row.kind == "fault":
                coming = next_session(db, row.room_id, now)  # hours may have passed since it was decided
                row.next_start, row.ref = (coming.start, coming.ref) if coming else (None, None)
            return to, _message(db, row, recipient)

    def _sent(self, notice_id: int) -> None:
        now = self._clock()
        with self._database.write() as db:
            row = db.get(Notice, notice_id, with_for_update={"of": Notice})
            if row is None:
                return
            row.state, row.sent_at, row.reason = "sent", now, ""
            if row.kind == "fault" and row.over_at is not None:
                db.add(well_after(row, now))  # it was mended while this was on its way
        log.info("notice %d sent by %s", notice_id, self._name)

    def _failed(self, notice_id: int, reason: str) -> None:
        with self._database.write() as db:
            row = db.get(Notice, notice_id, with_for_update={"of": Notice})
            if row is None:
                return
            row.reason = reason[:120]
            gives_up = row.state == "waiting" and row.next_try_at >= row.made_at + GIVE_UP_AFTER
            if gives_up:
                row.state = "failed"
        log.warning("notice %d by %s: %s%s", notice_id, self._name, reason, "; given up" if gives_up else "")


def _message(db: Session, row: Notice, recipient: NoticeRecipient) -> Message:
    room = db.get(Room, row.room_id)
    is_fault = row.kind == "fault"
    told = None if is_fault else _told_before(db, row)
    return Message(
        id=_id(row),
        kind="fault" if is_fault else "well",
        language=recipient.language,
        name=recipient.name,
        room=room.name if room is not None else row.room_id,
        room_id=row.room_id,
        unit=row.unit_id,
        instruction=row.instruction,
        level=row.level,
        since=row.since,
        next_start=row.next_start,
        ref=row.ref or "",
        of=_id(told) if told is not None else "",
    )


def _id(row: Notice) -> str:
    """Unique over restored databases and regions too, as far as a Message-ID has to be."""
    return f"halsorum.{row.id}.{int(row.made_at.timestamp())}"


def _told_before(db: Session, row: Notice) -> Notice | None:
    """What told this recipient of what is over now."""
    query = select(Notice).where(
        Notice.kind == "fault",
        Notice.fault_id == row.fault_id,
        Notice.recipient_id == row.recipient_id,
        Notice.channel == row.channel,
        Notice.room_id == row.room_id,
    )
    return db.scalar(query.order_by(Notice.id.desc()).limit(1))
