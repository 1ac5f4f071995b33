"""Signing in and out, and the language."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Blueprint, abort, g, jsonify, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from web.clinic.return_to import PARAMETER, allowed
from web.clinic.services import Account, NotAllowed, TooManyTries
from web.clinic.state import clinic, texts
from web.clinic.texts import LANGUAGES

pages = Blueprint("signin", __name__)
_PASSIVE = frozenset(
    {
        *("today.rows", "today.feed", "help.bar", "meeting.feed", "reports.saw"),
        *("units.rows", "enrol.rows", "enrol.standing", "unit.live", "rollouts.live"),
    }
)
"""What open pages ask for by themselves: no sign that someone is there."""
MAX_FIELD_CHARS = 200


def require_sign_in() -> ResponseReturnValue | None:
    """Runs before every view that is for people who have signed in."""
    account = present()
    if account is None:
        if request.path.startswith("/api/"):
            return jsonify(error="signed_out"), 401
        if request.method == "GET":
            session["next"] = _asked_for()
        return redirect(url_for("signin.page"))
    if request.endpoint not in _PASSIVE:
        clinic().signins.touch(session)
    g.account = account
    return None


def present() -> Account | None:
    """Who has signed in with this browser."""
    account_id = clinic().signins.account_id(session)
    return clinic().services.account(account_id) if account_id else None


def require_care() -> None:
    """Runs after that, before views of sessions: IT sees none and makes none. Raises NotAllowed."""
    if g.account.role == "it":
        raise NotAllowed


@pages.get("/sign-in")
def page() -> str | Response:
    """The form, or onward for those who have signed in."""
    if present():
        return redirect(home())
    return render_template("clinic/sign_in.html", username="", problem=None)


@pages.post("/sign-in")
def sign_in() -> str | Response | tuple[str, int]:
    """Check name and password."""
    username = request.form.get("username", "").strip()[:MAX_FIELD_CHARS]
    password = request.form.get("password", "")[:MAX_FIELD_CHARS]
    try:
        account = clinic().services.authenticate(username, password)
    except TooManyTries as pause:
        until = clinic().local(pause.until).strftime("%H:%M:%S")
        return _refuse(username, texts()("sign_in.too_many", time=until), 429)
    if account is None:
        return _refuse(username, texts()("sign_in.wrong"), 401)
    to = onward()
    clinic().signins.begin(session, account.id)
    return redirect(to)


def onward() -> str:
    """Where someone was going when they were asked to sign in."""
    asked = session.get("next")
    return asked if isinstance(asked, str) and is_ours(asked) else home()


def home() -> str:
    """Where the day begins."""
    return url_for("today.page")


def _asked_for() -> str:
    """The page without what its address carried, but for where to lead back to, if that is allowed."""
    back = request.args.get(PARAMETER)
    if back is None or not allowed(back, clinic().settings.return_to):
        return request.path
    return f"{request.path}?{urlencode({PARAMETER: back})}"


def is_ours(path: str) -> bool:
    """Whether a redirect there stays on this site: browsers read `//host` and `/\\host` as another."""
    return path.startswith("/") and not path.startswith(("//", "/\\"))


def _refuse(username: str, problem: str, status: int) -> tuple[str, int]:
    return render_template("clinic/sign_in.html", username=username, problem=problem), status


@pages.post("/sign-out")
def sign_out() -> str | Response:
    """End the sign-in, here and for any copy of its cookie, and go on to the provider that vouched for it."""
    sign_in, vouched = str(session.get("sign_in", "")), session.get("oidc") is True
    id_token = clinic().id_tokens.take(sign_in)
    clinic().signins.end(session)
    client = clinic().oidc
    if not vouched or client is None:
        return redirect(url_for("signin.page"))
    back = clinic().settings.public_url.rstrip("/") + url_for("signin.signed_out")
    # A page and not a redirect: our policy lets forms lead to ourselves alone.
    return render_template(
        "clinic/signed_out.html", provider=client.settings.name, logout_url=client.logout_url(back, id_token)
    )


@pages.get("/signed-out")
def signed_out() -> str:
    """Back from the provider, where one has signed out too."""
    return render_template("clinic/signed_out.html", provider="", logout_url=None)


@pages.post("/language")
def language() -> Response:
    """Speak another language from here on."""
    chosen = request.form.get("language", "")
    if chosen not in LANGUAGES:
        abort(400)
    session["language"] = chosen
    back = request.form.get("back", "")
    return redirect(back if is_ours(back) else "/")


@pages.post("/api/alive")
def alive() -> tuple[str, int]:
    """An open meeting page says that it is in use."""
    if present() is None:
        # Someone who came by a link has no sign-in that could run out.
        return ("", 204) if "seat" in session else ("", 401)
    clinic().signins.touch(session)
    return "", 204


@pages.get("/api/present")
def still_present() -> tuple[str, int]:
    """Whether this browser is still somebody's: asked when a feed was refused, which tells no status."""
    return ("", 204) if present() is not None or "seat" in session else ("", 401)
