"""Those who come by a link: who they are is in the cookie, what they may see is their one meeting."""

from __future__ import annotations

from flask import g, jsonify, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from web.clinic.seats import Guest
from web.clinic.signin import require_sign_in
from web.clinic.signins import Cookie
from web.clinic.state import clinic

SEAT = "seat"


def sit(cookie: Cookie, guest: Guest) -> None:
    """A fresh cookie, good for one meeting; whoever had signed in with this browser is signed out."""
    clinic().signins.end(cookie)
    cookie[SEAT] = {"id": guest.id, "sid": guest.sid, "place": guest.place}


def seated() -> Guest | None:
    """Who sits at this browser, while their seat is there."""
    kept = session.get(SEAT)
    if not isinstance(kept, dict) or not all(
        isinstance(kept.get(key), str) for key in ("id", "sid", "place")
    ):
        return None
    return clinic().services.seats.guest(kept["id"], kept["sid"], kept["place"])


def require_person() -> ResponseReturnValue | None:
    """Runs before every view of a meeting: staff who have signed in, or someone with a link to it."""
    if SEAT not in session:
        return require_sign_in()
    g.person = seated()
    if g.person is not None:
        return None
    # The meeting is over for them, and with it the seat.
    if request.path.startswith("/api/"):
        return jsonify(error="signed_out"), 401
    return redirect(url_for("seat.ended"))
