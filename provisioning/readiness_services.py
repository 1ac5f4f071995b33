"""What the page of rooms that are not ready may do (web.clinic.readiness_services.ReadinessServices)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from agent.contract.instructions import LOST
from provisioning.booking import Booker
from provisioning.commands import Commands
from provisioning.database import Database
from provisioning.fleet_models import CommandRow
from provisioning.models import Clinic, Room
from provisioning.moving import Moving
from provisioning.readiness import NotReady, not_ready_today
from provisioning.readiness_figures import as_csv, figures
from web.clinic.readiness_figures import UnitMonth
from web.clinic.readiness_services import NotReadyRoom, Target, ToldLine
from web.clinic.services import Account, NotAllowed, Refused

TEST = "selftest"
TRIES_FOR = timedelta(minutes=2)
"""As long as the command may take; a unit that says nothing of it may be asked again then."""
UNDER_WAY = ("sent", "accepted", "running")
MOST_TARGETS = 3


class Readiness:
    """Every method may be called on any thread."""

    def __init__(
        self,
        database: Database,
        commands: Commands,
        moving: Moving,
        booker: Callable[[Account], Booker],
        changed: Callable[[str], None],
        *,
        clock: Callable[[], datetime],
        zone: ZoneInfo,
    ) -> None:
        """changed(sid): pages that show this session are to look again."""
        self._database, self._commands, self._moving = database, commands, moving
        self._booker, self._changed = booker, changed
        self._clock, self._zone = clock, zone

    def not_ready(self, account: Account) -> Sequence[NotReadyRoom]:
        """Booked today and not ready, worst first."""
        now = self._clock()
        with self._database.read() as db:
            found = not_ready_today(db, None if account.role == "it" else account.clinic, now, self._zone)
            trying = {line.unit for line in found if line.unit and _is_trying(db, line.unit, now)}
        return [self._room(account, line, line.unit in trying) for line in found]

    def figures(self, account: Account, month: str) -> Sequence[UnitMonth]:
        """How ready the rooms were in a month. Raises ValueError for what is none."""
        clinic = None if account.role == "it" else account.clinic
        with self._database.read() as db:
            return figures(db, month, self._zone, self._clock(), clinic=clinic)

    def figures_csv(self, account: Account, month: str) -> str:
        """The same as CSV."""
        return as_csv(self.figures(account, month))

    def try_again(self, account: Account, room: str) -> None:
        """Have the room test itself now. Raises Refused or NotAllowed."""
        with self._database.read() as db:
            row = db.scalar(select(Room).join(Clinic).where(Room.id == room))
            if row is None:
                raise Refused("room", "is not known")
            if account.role != "it" and row.clinic.name != account.clinic:
                raise NotAllowed("this room is another clinic's")
            unit = row.unit_id
            if unit is None:
                raise Refused("room", "cannot be reached: there is no unit in it")
            if _is_trying(db, unit, self._clock()):
                return
        self._commands.send(unit, TEST, by=account.id, expires_in=TRIES_FOR)

    def move_to(self, account: Account, sid: str, room: str) -> None:
        """Move a session to another room. Raises Refused, Clash or NotAllowed."""
        self._moving.move_session(self._booker(account), sid, room)
        self._changed(sid)

    def _room(self, account: Account, line: NotReady, is_trying: bool) -> NotReadyRoom:
        may_move = account.role != "it" and line.level == "fail"
        free = self._moving.free_ready_rooms(line.next.sid)[:MOST_TARGETS] if may_move else ()
        return NotReadyRoom(
            id=line.room_id,
            name=line.room,
            clinic=line.clinic,
            level=line.level,
            instruction=line.instruction,
            others=len(line.faults) - 1,
            since=line.since,
            sid=line.next.sid,
            ref=line.next.ref,
            start=line.next.start,
            remaining=line.remaining,
            told=tuple(ToldLine(each.recipient, each.channel, each.state, each.at) for each in line.told),
            targets=tuple(Target(room.id, room.name) for room in free),
            can_try=line.instruction != LOST and line.unit_state in {"ready", "degraded"},
            is_trying=is_trying,
        )


def _is_trying(db: Session, unit: str, now: datetime) -> bool:
    asked = exists().where(
        CommandRow.unit_id == unit,
        CommandRow.name == TEST,
        CommandRow.state.in_(UNDER_WAY),
        CommandRow.made_at > now - TRIES_FOR,
    )
    return bool(db.scalar(select(asked)))
