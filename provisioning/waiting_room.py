"""The shared waiting room: which clinician of a clinic takes which patient."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from provisioning import meeting_log
from provisioning.database import Database
from provisioning.meeting_log import Entry
from provisioning.models import BookedSession
from provisioning.people_models import AccountRow, TakenRow
from provisioning.views import OVER
from web.clinic.people import Taken
from web.clinic.services import Account, NotAllowed, Refused

CALLING = frozenset({"admitted", "in_call"})


class WaitingRoom:
    """Every method may be called on any thread. Who may see the session is checked by the caller."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def take(self, account: Account, sid: str, *, over: bool = False, by_opening: bool = False) -> bool:
        """Take the patient; False if one had already. Of two who ask at once one wins.

        Raises Refused if a colleague has and `over` is not set, or if the session is over.
        """
        if account.role != "clinician":
            raise NotAllowed("patients are taken by clinicians")
        with self._database.write() as db:
            # Locked, so that two who take the same patient come one after the other.
            session = db.get(BookedSession, sid, with_for_update={"of": BookedSession})
            if session is None or session.cancelled or session.state in OVER:
                raise Refused("session", "is over or cancelled")
            held = db.get(TakenRow, sid)
            if held is not None and held.account_id == account.id:
                return False
            if held is not None and not over:
                raise Refused("taken", "a colleague takes this patient already")
            if held is None:
                held = TakenRow(sid=sid)
                db.add(held)
            kind = "taken_over" if held.account_id else "taken"
            held.account_id, held.at = account.id, self._clock()
            if not by_opening:  # the log says already that they opened the meeting
                self._log(db, kind, account, sid)
        return True

    def release(self, account: Account, sid: str, *, before_call: bool = False) -> bool:
        """Let go; False if one has not taken the patient, or if the call has begun and `before_call` is set."""
        with self._database.write() as db:
            held, session = db.get(TakenRow, sid), db.get(BookedSession, sid)
            if held is None or session is None or held.account_id != account.id:
                return False
            if before_call and session.state in CALLING:
                return False
            db.delete(held)
            self._log(db, "released", account, sid)
        return True

    def taken(self, sids: Sequence[str]) -> Mapping[str, Taken]:
        """Who takes whom."""
        query = (
            select(TakenRow, AccountRow.name)
            .join(AccountRow, AccountRow.id == TakenRow.account_id)
            .where(TakenRow.sid.in_(sids))
        )
        with self._database.read() as db:
            return {row.sid: Taken(row.account_id, name, row.at) for row, name in db.execute(query)}

    def _log(self, db: Session, kind: str, account: Account, sid: str) -> None:
        fields = {"by": account.id, "role": account.role, "identified": account.identified}
        meeting_log.append(db, Entry(kind, self._clock(), sid=sid, fields=fields))
