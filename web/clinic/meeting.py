"""The meeting page, and what its script and the unit say to each other through the region."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, abort, current_app, jsonify, render_template, request

from web.clinic.refusals import refusal_words
from web.clinic.return_to import back_to, remember
from web.clinic.services import Account, Refused, SessionRow
from web.clinic.signals import checked
from web.clinic.signin import require_sign_in
from web.clinic.state import account, clinic, texts
from web.clinic.summary import end_of
from web.clinic.texts import Texts
from web.clinic.today import open_feed
from web.clinic.wording import OVER, describe

pages = Blueprint("meeting", __name__)
pages.before_request(require_sign_in)
_INSTANCE = re.compile(r"[a-z0-9]{8,40}")


@pages.get("/meeting/<sid>")
def page(sid: str) -> str:
    """Before admission, in the call, and whatever comes between; the script moves it along."""
    row = clinic().services.session(account(), sid)
    remember(sid)
    return render_template(
        "clinic/meeting.html", script_texts=texts().for_scripts(), **describe(row, account(), texts())
    )


@pages.get("/meeting/<sid>/ended")
def ended(sid: str) -> str:
    """What the meeting was: times, how the patient checked in, who took part."""
    row = clinic().services.session(account(), sid)
    end = end_of(row, clinic().services.log(account(), sid), texts(), clinic().local)
    return render_template(
        "clinic/ended.html", summary=end, return_to=back_to(sid), **describe(row, account(), texts())
    )


@pages.get("/api/meeting/<sid>/feed")
def feed(sid: str) -> Response | tuple[Response, int]:
    """Everything for this page load; opening it joins the meeting."""
    instance = _instance(request.args.get("instance"))
    who = account()
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
        clinic().services.signal(account(), sid, _instance(body.get("instance")), message)
    except Refused as refused:
        reason = refusal_words(refused, texts())
        return jsonify(error="refused", field=refused.field_name, reason=reason), 409
    return jsonify(ok=True), 200


def session_shape(who: Account, sid: str, t: Texts) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    """Turns `session` messages into what the page shows, in words; passes the others on."""
    app, here = current_app._get_current_object(), clinic()  # type: ignore[attr-defined]

    def shape(message: Mapping[str, Any]) -> Mapping[str, Any]:
        if message.get("type") != "session":
            return message
        # Read anew: never older than the message, and in one form whatever the region's JSON looks like.
        row = here.services.session(who, sid)
        with app.app_context():
            return session_message(row, who, t)

    return shape


def session_message(row: SessionRow, who: Account, t: Texts) -> dict[str, Any]:
    """`session` as the page gets it: the state for its script, the facts as HTML for its reader."""
    template = current_app.jinja_env.get_template("clinic/_facts.html")
    return {
        "type": "session",
        "state": row.state,
        "over": row.state in OVER,
        "facts": template.render(**describe(row, who, t)),
    }


def _instance(given: object) -> str:
    if not isinstance(given, str) or not _INSTANCE.fullmatch(given):
        abort(400)
    return given
