"""From the region's values to words: what a row, a room and a session say of themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from flask import Flask, g, request

from agent.contract.instructions import text
from web.clinic.people import Taken
from web.clinic.security import csrf_token
from web.clinic.services import Account, Person, Room, SessionRow
from web.clinic.state import clinic, texts
from web.clinic.texts import LANGUAGES, Texts

Tone = Literal["quiet", "good", "attention", "trouble"]
OPENS_BEFORE = timedelta(minutes=15)
"""A session is made ready from a quarter of an hour before its start."""
LIVE = frozenset({"waiting", "admitted", "in_call"})
OVER = frozenset({"ended", "wiped", "cancelled", "no_show", "failed"})
_ROOM_TONES: dict[str, Tone] = {
    "ready": "good",
    "in_session": "good",
    "degraded": "trouble",
    "lost": "trouble",
}
_STATE_TONES: dict[str, Tone] = {
    "waiting": "attention",
    "admitted": "good",
    "in_call": "good",
    "failed": "trouble",
}


@dataclass(frozen=True, slots=True)
class Said:
    """Words and how loud they are."""

    words: str
    tone: Tone


def room_said(room: Room, t: Texts) -> Said:
    """Is the room well, and if not, what is wrong."""
    tone = _ROOM_TONES.get(room.unit_state, "quiet")
    words = t.of("room", room.unit_state)
    if room.faults:
        words += " " + " ".join(f"{text(t.language, fault).fault}." for fault in room.faults)
    return Said(words, tone)


def state_said(row: SessionRow, t: Texts) -> Said:
    """Where the session is in its life."""
    return Said(t.of("state", row.state), _STATE_TONES.get(row.state, "quiet"))


def action(row: SessionRow, account: Person, now: datetime) -> Literal["meeting", "check_in", "show"]:
    """The one thing to do with this row now: a clinician opens the meeting, staff check the patient in."""
    soon = row.state not in OVER and row.start - OPENS_BEFORE <= now <= row.end + OPENS_BEFORE
    if account.role == "clinician" and (row.state in LIVE or soon):
        return "meeting"
    if account.role == "staff" and soon and may_check_in(row, now):
        return "check_in"
    return "show"


def may_check_in(row: SessionRow, now: datetime) -> bool:
    """Whether staff can already and still check this session's patient in."""
    is_open = now >= row.start - OPENS_BEFORE
    return is_open and "staff" in row.methods and row.state in ("booked", "ready")


def minutes_since(at: datetime, now: datetime) -> int:
    """Whole minutes, never below nought: two clocks differ a little."""
    return max(0, int((now - at).total_seconds()) // 60)


def describe(
    row: SessionRow, account: Person, t: Texts, taken: Mapping[str, Taken] | None = None
) -> dict[str, Any]:
    """Everything the templates say about one session. `taken`: who takes whom, where it has been asked for."""
    local, now = clinic().local, clinic().now()
    if taken is None:
        taken = clinic().services.taken(account, [row.sid]) if isinstance(account, Account) else {}
    held = taken.get(row.sid) if row.state not in OVER else None
    waited = row.checked_in_at if row.state == "waiting" else None
    return {
        "row": row,
        "date": local(row.start).strftime("%Y-%m-%d"),
        "start": local(row.start).strftime("%H:%M"),
        "end": local(row.end).strftime("%H:%M"),
        "state": state_said(row, t),
        "room": room_said(row.room, t),
        "how": t.of("how", row.checked_in_how) if row.checked_in_how else "",
        "since": local(row.checked_in_at).strftime("%H:%M") if row.checked_in_at else "",
        "minutes": minutes_since(waited, now) if waited else None,
        "action": action(row, account, now),
        "taken": held,
        "mine": held is not None and held.account_id == account.id,
        "may_take": account.role == "clinician" and row.state == "waiting" and held is None,
        "may_take_over": account.role == "clinician" and _is_anothers(held, account),
        "not_on_unit": row.state == "booked" and not row.schedule_on_unit and row.end > now,
        "t": t,
    }


def _is_anothers(held: Taken | None, account: Account) -> bool:
    return held is not None and held.account_id != account.id


def register(app: Flask) -> None:
    """Give every template the texts, the languages and this browser's token."""

    @app.context_processor
    def words() -> dict[str, Any]:
        t = texts()
        return {
            "t": t,
            "account": g.get("account"),
            "language": t.language,
            "languages": LANGUAGES,
            "csrf_token": csrf_token,
            "here": request.path if request.method == "GET" else "/",
            "oidc_name": oidc.settings.name if (oidc := clinic().oidc) else "",
            "phone": clinic().settings.support_phone,
        }
