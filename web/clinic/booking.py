"""Booking a room, and the invitation that is shown once."""

from __future__ import annotations

from datetime import datetime, timedelta

import segno
from flask import Blueprint, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from web.clinic.refusals import refusal_words
from web.clinic.return_to import BOOKING, back_to, remember
from web.clinic.services import BookingRequest, Clash, Invitation, Refused
from web.clinic.signin import require_care, require_sign_in
from web.clinic.state import account, clinic, texts

pages = Blueprint("booking", __name__)
pages.before_request(require_sign_in)
pages.before_request(require_care)
LENGTHS_MIN = (15, 20, 30, 45, 60, 90, 120)
LANGUAGES = ("sv", "en")
METHODS = ("code", "qr", "button", "staff")
_DEFAULTS = {"length": "30", "language": "sv", "waiting_room": "yes"}


@pages.get("/booking")
def page() -> str:
    """The form, with the next whole quarter of an hour filled in."""
    remember(BOOKING)
    soon = clinic().local(clinic().now()) + timedelta(minutes=15)
    soon = soon.replace(minute=soon.minute // 15 * 15)
    entered = MultiDict(_DEFAULTS | {"date": f"{soon:%Y-%m-%d}", "time": f"{soon:%H:%M}"})
    entered.setlist("methods", ["code", "qr", "staff"])
    return _form(entered, {})


@pages.post("/booking")
def book() -> str | Response | tuple[str, int]:
    """Book, and go on to the invitation; or the form again, with what is wrong at its field."""
    try:
        invitation = clinic().services.book(account(), _request(request.form))
    except Clash as clash:
        return _form(request.form, {"time": refusal_words(clash, texts())}), 409
    except Refused as refused:
        return _form(request.form, {_at(refused): refusal_words(refused, texts())}), 422
    key = clinic().invitations.put(account().id, invitation)
    return redirect(url_for("booking.invitation", key=key), code=303)


@pages.get("/invitation/<key>")
def invitation(key: str) -> str | tuple[str, int]:
    """The code, the link and its picture, one time."""
    kept = clinic().invitations.take(account().id, key)
    if kept is None:
        return render_template("clinic/invitation_gone.html"), 410
    link = _link(kept)
    return render_template(
        "clinic/invitation.html",
        invitation=kept,
        code=f"{kept.code[:3]} {kept.code[3:]}".strip(),
        start=clinic().local(kept.start),
        end=clinic().local(kept.end),
        link=link,
        return_to=back_to(BOOKING),
        qr=Markup(segno.make(link, error="m").svg_inline(scale=5, border=2)),  # noqa: S704 - segno's own output
    )


def _link(kept: Invitation) -> str:
    """The token stands after the `#`, which browsers never send: it reaches no server's log."""
    page = f"{clinic().settings.public_url.rstrip('/')}/visit"
    return f"{page}#{kept.token}" if kept.token else page


def _request(form: MultiDict[str, str]) -> BookingRequest:
    start = when(form)
    methods = tuple(method for method in form.getlist("methods") if method in METHODS)
    if not methods:
        raise Refused("methods", "no_method")
    if form.get("language") not in LANGUAGES:
        raise Refused("language", "choose_one")
    return BookingRequest(
        room_id=form.get("room", ""),
        start=start,
        end=start + length(form),
        language=form["language"],
        methods=methods,
        waiting_room=form.get("waiting_room") == "yes",
    )


def when(form: MultiDict[str, str]) -> datetime:
    """The start on the clinic's clock; raises Refused for what is no date or no time."""
    try:
        day = datetime.strptime(form.get("date", ""), "%Y-%m-%d")
    except ValueError:
        raise Refused("date", "no_date") from None
    try:
        time = datetime.strptime(form.get("time", "")[:5], "%H:%M")
    except ValueError:
        raise Refused("time", "no_time") from None
    return day.replace(hour=time.hour, minute=time.minute, tzinfo=clinic().settings.zone)


def length(form: MultiDict[str, str]) -> timedelta:
    """One of the lengths offered; raises Refused otherwise."""
    chosen = form.get("length", "")
    if chosen not in {str(minutes) for minutes in LENGTHS_MIN}:
        raise Refused("length", "choose_one")
    return timedelta(minutes=int(chosen))


_FIELDS = {"room_id": "room", "start": "time", "end": "length"}
_OWN = frozenset({"room", "date", "time", "methods", "language", "length"})


def _at(refused: Refused) -> str:
    """The form's field for a field of the request; at the top of the form when it has none."""
    name = refused.field_name
    return _FIELDS.get(name, name if name in _OWN else "form")


def _form(entered: MultiDict[str, str], problems: dict[str, str]) -> str:
    return render_template(
        "clinic/booking.html",
        rooms=clinic().services.rooms(account()),
        entered=entered,
        problems=problems,
        lengths=LENGTHS_MIN,
        booking_languages=LANGUAGES,
        methods=METHODS,
    )
