"""The pages of someone who comes by a link, and of those who make the links."""

from __future__ import annotations

import re

from flask import Blueprint, abort, jsonify, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from web.clinic.guests import seated, sit
from web.clinic.refusals import refusal_words
from web.clinic.seats import SeatInvitation, SeatLook
from web.clinic.services import Account, NotAllowed, Refused, TooManyTries
from web.clinic.signin import present, require_sign_in
from web.clinic.state import account, clinic, texts

pages = Blueprint("seat", __name__)
making = Blueprint("seats", __name__)
making.before_request(require_sign_in)
_TOKEN = re.compile(r"[0-9a-f]{32}")
_CODE = re.compile(r"\d{6}")
_KEPT_BACK = 409


@pages.get("/seat")
def page() -> str:
    """What a link opens. Its token stands after the `#`: the page's script posts it, and no log has it."""
    return render_template("clinic/seat.html", script_texts=texts().for_scripts())


@pages.get("/seat/ended")
def ended() -> str:
    """The meeting is over, or the link is good for nothing any more."""
    return render_template("clinic/seat_ended.html")


@making.get("/seat/sign-in")
def sign_in() -> ResponseReturnValue:
    """Professionals sign in first; the token waits in the browser meanwhile."""
    return redirect(url_for("seat.page"))


@pages.post("/api/seat/look")
def look() -> ResponseReturnValue:
    """What the link is for: `{"token"}`."""
    try:
        found = clinic().services.seats.look(_posted("token", _TOKEN))
    except Refused as refused:
        return _refuse(refused)
    return jsonify(_described(found, present()))


@pages.post("/api/seat/claim")
def claim() -> ResponseReturnValue:
    """`{"token", "code"}` seats a guest in this browser; `{"token"}` alone is for those who have signed in."""
    seats, who = clinic().services.seats, present()
    try:
        token = _posted("token", _TOKEN)
        if who is not None and "code" not in _body():
            sid = seats.claim_as(who, token).sid
        else:
            guest = seats.claim(token, _posted("code", _CODE))
            sit(session, guest)
            sid = guest.sid
    except TooManyTries as pause:
        until = clinic().local(pause.until).strftime("%H:%M:%S")
        return jsonify(error="paused", reason=texts()("seat.paused", time=until)), 429
    except Refused as refused:
        return _refuse(refused)
    except NotAllowed:
        return jsonify(error="refused", reason=texts()("seat.not_for_it")), 409
    return jsonify(to=url_for("meeting.page", sid=sid))


@making.get("/api/meeting/<sid>/seats")
def listed(sid: str) -> ResponseReturnValue:
    """The seats of a meeting, for its clinic."""
    lines = clinic().services.seats.list(account(), sid)
    seats = [{"id": line.id, "role": line.role, "label": line.label, "state": line.state} for line in lines]
    return jsonify(seats=seats)


@making.post("/api/meeting/<sid>/seats")
def make(sid: str) -> ResponseReturnValue:
    """`{"role", "label"}` makes a seat; link and code are in the answer and nowhere else."""
    body = _body()
    role, label = body.get("role"), body.get("label", "")
    if not isinstance(role, str) or not isinstance(label, str):
        abort(400)
    try:
        made = clinic().services.seats.make(account(), sid, role, label)
    except Refused as refused:
        return _refuse(refused)
    return jsonify(id=made.id, link=link_of(made), code=made.code), 201


@making.post("/api/meeting/<sid>/seats/<seat_id>/withdraw")
def withdraw(sid: str, seat_id: str) -> ResponseReturnValue:
    """The link is good for nothing from here on."""
    try:
        clinic().services.seats.withdraw(account(), sid, seat_id)
    except Refused as refused:
        return _refuse(refused)
    return jsonify(ok=True)


@making.post("/sessions/<sid>/seats")
def make_before(sid: str) -> ResponseReturnValue:
    """From the session's page, before the meeting."""
    try:
        made = clinic().services.seats.make(
            account(), sid, request.form.get("role", ""), request.form.get("label", "")
        )
    except Refused as refused:
        problem = refusal_words(refused, texts())
        return render_template("clinic/error.html", problem=problem), _KEPT_BACK
    key = clinic().seat_invitations.put(account().id, made)
    return redirect(url_for("seats.invitation", sid=sid, key=key), code=303)


@making.get("/sessions/<sid>/seats/<key>")
def invitation(sid: str, key: str) -> ResponseReturnValue:
    """Link and code, shown once."""
    made = clinic().seat_invitations.take(account().id, key)
    if made is None:
        return redirect(url_for("sessions.page", sid=sid))
    return render_template("clinic/seat_invitation.html", sid=sid, made=made, link=link_of(made))


@making.post("/sessions/<sid>/seats/<seat_id>/withdraw")
def withdraw_before(sid: str, seat_id: str) -> ResponseReturnValue:
    """From the session's page."""
    try:
        clinic().services.seats.withdraw(account(), sid, seat_id)
    except Refused as refused:
        problem = refusal_words(refused, texts())
        return render_template("clinic/error.html", problem=problem), _KEPT_BACK
    return redirect(url_for("sessions.page", sid=sid), code=303)


def link_of(made: SeatInvitation) -> str:
    """The link that is sent: its token stays in the browser that opens it."""
    return f"{clinic().settings.public_url.rstrip('/')}{url_for('seat.page')}#{made.token}"


def _described(found: SeatLook, who: Account | None) -> dict[str, object]:
    local, guest, t = clinic().local, seated(), texts()
    today = local(clinic().now()).date()
    return {
        "state": "open" if found.is_open else "early",
        "role": t.of("log.role", found.role),
        "date": t("seat.today")
        if local(found.start).date() == today
        else local(found.start).strftime("%Y-%m-%d"),
        "start": local(found.start).strftime("%H:%M"),
        "opens": local(found.opens_at).strftime("%H:%M"),
        "in_use": found.in_use,
        "name": who.name if who is not None else None,
        # This browser has been here: it needs no code again.
        "to": url_for("meeting.page", sid=found.sid) if guest is not None and guest.id == found.id else None,
    }


def _body() -> dict[str, object]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        abort(400)
    return body


def _posted(name: str, form: re.Pattern[str]) -> str:
    """A field of the body; what has not even its form is told like what is not known."""
    value = _body().get(name)
    if not isinstance(value, str):
        abort(400)
    value = re.sub(r"\s", "", value)
    if not form.fullmatch(value):
        raise_as = {"token": ("link", "is not known"), "code": ("code", "is wrong")}[name]
        raise Refused(*raise_as)
    return value


def _refuse(refused: Refused) -> ResponseReturnValue:
    reason = refusal_words(refused, texts())
    return jsonify(error="refused", field=refused.field_name, reason=reason), _KEPT_BACK
