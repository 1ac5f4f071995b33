"""What a meeting must still know after a restart of the region: kept as one row, gone when the meeting is over."""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel, ConfigDict
from sqlalchemy import delete
from sqlalchemy.orm import Session

from provisioning.database import Database
from provisioning.meeting_models import MeetingStanding, Seat


class Standing(BaseModel):
    """By peer id, which tells nothing of a person. Pages are not in it: they open their feeds again."""

    model_config = ConfigDict(validate_assignment=False)

    chair: str = ""
    """A peer, `unit` for staff beside the patient, or empty before a clinician has come."""
    admitted: set[str] = set()
    """Those who knocked and were let in: not asked again when their page reloads."""
    removed: set[str] = set()
    """Those who were shown out, and have to knock from now on."""
    unseeing: set[str] = set()
    """Interpreters who hear and are heard, and get no picture."""
    held: bool = False
    sharing: bool = False
    organisations: tuple[str, ...] = ()
    present: set[str] = set()
    """Those for whom sharing was turned on."""
    shares: dict[str, str] = {}
    """Peers that show something, and the page load that does: a connection of its own at the unit."""


class Standings(Protocol):
    """Where standings are kept."""

    def load(self, sid: str) -> Standing:
        """The session's, or a new one."""

    def save(self, sid: str, standing: Standing) -> None:
        """Keep it from here on."""


class StoredStandings:
    """In the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self, sid: str) -> Standing:
        """The session's, or a new one."""
        with self._database.read() as db:
            row = db.get(MeetingStanding, sid)
            return Standing.model_validate(row.standing, strict=False) if row is not None else Standing()

    def save(self, sid: str, standing: Standing) -> None:
        """Keep it from here on; of a session that is gone nothing is kept."""
        with self._database.write() as db:
            row = db.get(MeetingStanding, sid, with_for_update=True)
            if row is None:
                row = MeetingStanding(sid=sid, standing={})
                db.add(row)
            row.standing = standing.model_dump(mode="json")


class BriefStandings:
    """In memory, for as long as the process lives."""

    def __init__(self) -> None:
        self._kept: dict[str, Standing] = {}

    def load(self, sid: str) -> Standing:
        """The session's, or a new one."""
        kept = self._kept.get(sid)
        return kept.model_copy(deep=True) if kept else Standing()

    def save(self, sid: str, standing: Standing) -> None:
        """Keep it from here on."""
        self._kept[sid] = standing.model_copy(deep=True)


def forget_meeting(db: Session, sid: str) -> None:
    """The session is over: its links, codes and labels are gone, and who was in it."""
    db.execute(delete(Seat).where(Seat.sid == sid))
    db.execute(delete(MeetingStanding).where(MeetingStanding.sid == sid))
