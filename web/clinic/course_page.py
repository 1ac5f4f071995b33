"""Held calls, one call's course, and what a meeting page tells of it while it goes on."""

from __future__ import annotations

from typing import Annotated

from flask import Blueprint, Response, abort, jsonify, render_template, request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from agent.contract.quality import PageReport
from web.clinic.course import CallLine
from web.clinic.course_words import number, show_directions, show_unit
from web.clinic.guests import require_person
from web.clinic.services import Refused
from web.clinic.signin import require_sign_in
from web.clinic.state import account, clinic, person, texts

pages = Blueprint("calls", __name__)
pages.before_request(require_sign_in)
reports = Blueprint("reports", __name__)
reports.before_request(require_person)
MOST_REPORTS = 24
"""At once; a page that was alone for minutes sends several times."""


class PagePost(BaseModel):
    """What a page posts."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")
    instance: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{8,40}$")]
    reports: Annotated[tuple[PageReport, ...], Field(min_length=1, max_length=MOST_REPORTS)]


@reports.post("/api/meeting/<sid>/quality")
def saw(sid: str) -> tuple[Response, int]:
    """The page's own figures: 204; 409 from a page that is no party here, 429 if they come too often."""
    try:
        told = PagePost.model_validate_json(request.get_data())
    except ValidationError:
        abort(400)
    if not clinic().quality_pause.lets_through((person().id, sid)):
        abort(429)
    try:
        clinic().services.saw(person(), sid, told.instance, told.reports)
    except Refused as refused:
        return jsonify(error="refused", field=refused.field_name), 409
    return Response(), 204


@pages.get("/calls")
def page() -> str:
    """The calls whose figures are kept, newest first."""
    lines = clinic().services.calls(account())
    return render_template(
        "clinic/calls.html", rows=[_row(line) for line in lines], days=clinic().settings.quality_days
    )


@pages.get("/calls/<sid>")
def course(sid: str) -> str | tuple[str, int]:
    """How one call went."""
    told, t = clinic().services.course(account(), sid), texts()
    if told is None:
        return render_template("clinic/course.html", row=None), 404
    return render_template(
        "clinic/course.html",
        row=_row(told.line),
        directions=show_directions(told, t, clinic().local),
        unit=show_unit(told, t, clinic().local),
    )


def _row(line: CallLine) -> dict[str, object]:
    local, t = clinic().local, texts()
    still = max(line.room_frozen_s, line.page_frozen_s)
    return {
        "line": line,
        "date": local(line.began).strftime("%Y-%m-%d"),
        "began": local(line.began).strftime("%H:%M"),
        "ended": local(line.ended).strftime("%H:%M"),
        "length": number(line.seconds / 60, t, 0, "min")
        if line.seconds >= 90
        else number(line.seconds, t, 0, "s"),
        "still": number(still, t, 1, "s"),
        "away": number(line.away_s, t, 0, "s"),
    }
