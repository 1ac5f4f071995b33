"""One session's page: what is known of it, moving, cancelling, checking in, and its log."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from web.clinic.booking import LENGTHS_MIN, length, when
from web.clinic.log_words import log_lines
from web.clinic.refusals import refusal_words
from web.clinic.return_to import remember
from web.clinic.seats import SeatRole
from web.clinic.services import Refused
from web.clinic.signin import require_sign_in
from web.clinic.state import account, clinic, texts
from web.clinic.wording import LIVE, OVER, describe, may_check_in

pages = Blueprint("sessions", __name__, url_prefix="/sessions")
pages.before_request(require_sign_in)
Answer = str | Response | tuple[str, int]


@pages.get("/<sid>")
def page(sid: str) -> str:
    """The session, and what may be done with it."""
    remember(sid)
    return _show(sid)


@pages.post("/<sid>/move")
def move(sid: str) -> Answer:
    """Another time in the same room; the code stays."""

    def change() -> None:
        start = when(request.form)
        clinic().services.move(account(), sid, start, start + length(request.form))

    return _try(sid, change, "move")


@pages.post("/<sid>/cancel")
def cancel(sid: str) -> Answer:
    """The visit will not be."""
    return _try(sid, lambda: clinic().services.cancel(account(), sid), "cancel")


@pages.post("/<sid>/check-in")
def check_in(sid: str) -> Answer:
    """Staff at their own PC say that the patient sits in the room."""
    return _try(sid, lambda: clinic().services.check_in(account(), sid), "check_in")


@pages.get("/<sid>/log")
def log(sid: str) -> str:
    """The meeting log in words, oldest first."""
    row = clinic().services.session(account(), sid)
    lines = log_lines(clinic().services.log(account(), sid), texts(), clinic().local)
    return render_template("clinic/log.html", lines=lines, **describe(row, account(), texts()))


def _try(sid: str, change: Callable[[], None], what: str) -> Answer:
    try:
        change()
    except Refused as refused:
        return _show(sid, {what: refusal_words(refused, texts())}), 409
    back = "today.page" if what == "check_in" else "sessions.page"
    return redirect(url_for(back, sid=sid) if back == "sessions.page" else url_for(back), code=303)


def _show(sid: str, problems: dict[str, str] | None = None) -> str:
    row = clinic().services.session(account(), sid)
    minutes = int((row.end - row.start).total_seconds()) // 60
    begun = row.state in LIVE or row.state in OVER
    return render_template(
        "clinic/session.html",
        problems=problems or {},
        lengths=LENGTHS_MIN,
        minutes_long=minutes,
        begun=begun,
        may_change=not begun,
        may_invite=row.state not in OVER,
        seats=clinic().services.seats.list(account(), sid) if row.state not in OVER else (),
        seat_roles=get_args(SeatRole),
        may_check_in=may_check_in(row, clinic().now()),
        may_meet=account().role == "clinician" and row.state not in OVER,
        **describe(row, account(), texts()),
    )
