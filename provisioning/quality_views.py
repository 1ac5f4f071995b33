"""Kept quality figures as the pages and the command line see them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from agent.contract.quality import PageReport, PartyQuality, QualityReport, Received
from agent.contract.signalling import UNIT_PEER
from provisioning.models import BookedSession, Clinic, QualityCall, QualityRow, Room
from web.clinic.course import CallLine, Course, Direction, Reading, UnitReading

LINE_FIELDS = {"bit_rate", "lost", "jitter_ms"}
"""What the unit measures on the line to it; between it and its own screen there is none."""


def calls(db: Session, clinic: str | None, most: int) -> Sequence[CallLine]:
    """The latest calls with figures, newest first; None: of every clinic."""
    query = (
        select(QualityCall, BookedSession)
        .join(BookedSession, BookedSession.sid == QualityCall.sid)
        .order_by(QualityCall.began.desc())
        .limit(most)
    )
    if clinic is not None:
        query = query.join(Room, Room.id == BookedSession.room_id).join(Clinic).where(Clinic.name == clinic)
    return [_line(call, session) for call, session in db.execute(query)]


def course(db: Session, sid: str) -> Course | None:
    """All of one call; None if nothing is kept of it."""
    call, session = db.get(QualityCall, sid), db.get(BookedSession, sid)
    if call is None or session is None:
        return None
    rows = db.scalars(select(QualityRow).where(QualityRow.sid == sid).order_by(QualityRow.at)).all()
    reports = [
        (row.at, QualityReport.model_validate({**row.figures, "sid": sid, "at": row.at}, strict=False))
        for row in rows
        if row.source == UNIT_PEER
    ]
    pages: dict[str, list[Reading]] = {}
    roles = {party.peer: party.role for _, report in reports for party in report.parties}
    for row in rows:
        if row.source != UNIT_PEER:
            roles.setdefault(row.source, row.figures["role"])
            pages.setdefault(row.source, []).append(_page_reading(row))
    directions = [
        direction
        for peer, role in roles.items()
        for direction in _both(peer, role, reports, pages.get(peer, ()))
    ]
    unit = tuple(UnitReading(at, r.interval_s, r.machine, r.encodings) for at, r in reports)
    return Course(_line(call, session), tuple(directions), unit)


def _line(call: QualityCall, session: BookedSession) -> CallLine:
    return CallLine(
        sid=call.sid,
        ref=session.ref,
        room=session.room.name,
        clinic=session.room.clinic.name,
        began=call.began,
        ended=call.ended,
        room_frozen_s=call.room_frozen_s,
        page_frozen_s=call.page_frozen_s,
        away_s=call.away_s,
    )


def _page_reading(row: QualityRow) -> Reading:
    told = PageReport.model_validate({**row.figures, "age_s": 0}, strict=False)
    return Reading(row.at, told.interval_s, told.connected, told.sent, told.received)


def _both(
    peer: str, role: str, reports: Iterable[tuple[datetime, QualityReport]], page: Iterable[Reading]
) -> tuple[Direction, Direction]:
    """The two directions between the room and one party, each as both ends told it."""
    of_unit = [
        (at, report.interval_s, party)
        for at, report in reports
        for party in report.parties
        if party.peer == peer
    ]
    sent = tuple(Reading(at, s, party.connected, sent=party.sent) for at, s, party in of_unit)
    seen = tuple(Reading(at, s, party.connected, received=_in_room(party)) for at, s, party in of_unit)
    page = tuple(page)
    return (
        Direction(peer, role, to_room=False, sender=sent, receiver=page),
        Direction(peer, role, to_room=True, sender=page, receiver=seen),
    )


def _in_room(party: PartyQuality) -> Received | None:
    """What the touchscreen showed, with the line's own figures from the unit."""
    if party.received is None or party.shown is None:
        return party.shown or party.received
    return party.shown.model_copy(update=party.received.model_dump(include=LINE_FIELDS, exclude_none=True))
