"""The meeting page, and what its script and the unit say to each other through the region."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    jsonify,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.wrappers import Response as AnyResponse

from web.clinic.guests import require_person
from web.clinic.refusals import refusal_words
from web.clinic.return_to import back_to, remember
from web.clinic.services import Account, NotAllowed, Person, Refused, SessionRow
from web.clinic.signals import checked
from web.clinic.state import clinic, person, texts
from web.clinic.summary import end_of
from web.clinic.texts import Texts
from web.clinic.today import open_feed
from web.clinic.wording import OVER, describe

pages = Blueprint("meeting", __name__)
pages.before_request(require_person)
_INSTANCE = re.compile(r"[a-z0-9]{8,40}")


@pages.get("/meeting/<sid>")
def page(sid: str) -> str:
    """Before admission, in the call, and whatever comes between; the script moves it along."""
    who = person()
    row = clinic().services.meeting(who, sid)
    remember(sid)
    return render_template(
        "clinic/meeting.html",
        script_texts=texts().for_scripts(),
        **_for_guest(who, row),
        **describe(row, who, texts()),
    )


@pages.get("/meeting/<sid>/ended")
def ended(sid: str) -> str | AnyResponse:
    """What the meeting was, for its own clinic: times, how the patient checked in, who took part."""
    who = person()
    row = _own_row(who, sid)
    if row is None or not isinstance(who, Account):
        return redirect(url_for("seat.ended"))
    end = end_of(row, clinic().services.log(who, sid), texts(), clinic().local)
    return render_template(
        "clinic/ended.html", summary=end, return_to=back_to(sid), **describe(row, who, texts())
    )


@pages.get("/api/meeting/<sid>/feed")
def feed(sid: str) -> Response | tuple[Response, int]:
    """Everything for this page load; opening it joins the meeting."""
    instance = _instance(request.args.get("instance"))
    who = person()
    return open_feed(
        lambda: clinic().services.open_meeting(who, sid, instance),
        session_shape(who, sid, texts()),
        clinic().settings.meeting_ping_s,
    )


@pages.post("/api/meeting/<sid>/signal")
def signal(sid: str) -> tuple[Response, int]:
    """One message from the page: `{"instance": …, "message": {"type": …}}`."""
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        abort(400)
    message = checked(body.get("message"))
    if message is None:
        abort(400)
    try:
        clinic().services.signal(person(), sid, _instance(body.get("instance")), message)
    except Refused as refused:
        reason = refusal_words(refused, texts())
        return jsonify(error="refused", field=refused.field_name, reason=reason), 409
    return jsonify(ok=True), 200


def session_shape(who: Person, sid: str, t: Texts) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    """Turns `session` messages into what the page shows, in words; passes the others on."""
    app, here = current_app._get_current_object(), clinic()  # type: ignore[attr-defined]

    def shape(message: Mapping[str, Any]) -> Mapping[str, Any]:
        if message.get("type") != "session":
            return message
        # Read anew: never older than the message, and in one form whatever the region's JSON looks like.
        try:
            row = here.services.meeting(who, sid)
        except (NotAllowed, Refused):
            # Their seat has gone with the session, and this is its last word to them.
            state = str(message.get("state", ""))
            return {"type": "session", "state": state, "over": state in OVER, "facts": ""}
        with app.app_context():
            return session_message(row, who, t)

    return shape


def session_message(row: SessionRow, who: Person, t: Texts) -> dict[str, Any]:
    """`session` as the page gets it: the state for its script, the facts as HTML for its reader."""
    template = current_app.jinja_env.get_template("clinic/_facts.html")
    return {
        "type": "session",
        "state": row.state,
        "over": row.state in OVER,
        "facts": "" if is_guest(who, row) else template.render(**describe(row, who, t)),
    }


def _for_guest(who: Person, row: SessionRow) -> dict[str, Any]:
    """Someone who comes by a link says who they are and looks at their devices before they knock."""
    if not is_guest(who, row):
        return {"guest": False}
    out = url_for("seat.ended")
    prepare = not clinic().services.is_admitted(who, row.sid)
    return {"guest": True, "prepare": prepare, "ended_url": out, "back_url": out}


def _own_row(who: Person, sid: str) -> SessionRow | None:
    try:
        return clinic().services.session(who, sid) if isinstance(who, Account) else None
    except NotAllowed:
        return None


def is_guest(who: Person, row: SessionRow) -> bool:
    """Whether they come by a link: how the room is and how the patient checked in is for the clinic alone."""
    return not isinstance(who, Account) or who.clinic not in {row.clinic, row.room.clinic}


def _instance(given: object) -> str:
    if not isinstance(given, str) or not _INSTANCE.fullmatch(given):
        abort(400)
    return given
