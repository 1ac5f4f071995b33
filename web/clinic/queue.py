"""The clinic's drop-in queues, live: which rooms wait for a clinician, since when, and one click to take one."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from web.clinic.refusals import refusal_words
from web.clinic.services import Refused, Waiting
from web.clinic.signin import require_care, require_sign_in
from web.clinic.state import account, clinic, texts
from web.clinic.wording import minutes_since, room_said

pages = Blueprint("queue", __name__)
pages.before_request(require_sign_in)
pages.before_request(require_care)


@pages.get("/queue")
def page() -> str:
    """All queues of the clinic."""
    return _show()


@pages.get("/api/queue")
def rows() -> str:
    """The lists alone, for a page that has heard of a change."""
    return render_template("clinic/_queues.html", queues=_queues(), may_take=account().role == "clinician")


@pages.post("/queue/<queue>/take")
def take(queue: str) -> Response | tuple[str, int]:
    """Take the room that was pressed, or the first: the meeting opens."""
    entry = request.form.get("entry")
    try:
        sid = clinic().services.take_from_queue(account(), queue, None if entry is None else _number(entry))
    except Refused as refused:
        return _show(refusal_words(refused, texts())), 409
    return redirect(url_for("meeting.page", sid=sid), code=303)


def _number(entry: str) -> int:
    """An entry's number; what is none is as one that waits no longer."""
    return int(entry) if re.fullmatch(r"[0-9]{1,9}", entry) else -1


def _show(problem: str = "") -> str:
    may_take = account().role == "clinician"
    return render_template("clinic/queue.html", queues=_queues(), problem=problem, may_take=may_take)


def _queues() -> list[dict[str, Any]]:
    return [
        {"id": row.id, "name": row.name, "waiting": [_waiting(each) for each in row.waiting]}
        for row in clinic().services.queues(account())
    ]


def _waiting(each: Waiting) -> dict[str, Any]:
    return {
        "id": each.id,
        "room": each.room,
        "said": room_said(each.room, texts()),
        "since": clinic().local(each.since).strftime("%H:%M"),
        "minutes": minutes_since(each.since, clinic().now()),
    }
