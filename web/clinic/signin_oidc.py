"""Signing in through the region's OpenID provider: there, back, and which assignment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, abort, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from web.clinic.oidc import STARTED_GOOD_FOR_S, Answer, AnswerRefused, OidcClient, ProviderAway
from web.clinic.people import Assignment
from web.clinic.signin import onward
from web.clinic.state import clinic, texts

pages = Blueprint("oidc", __name__)
_CHOOSING = "oidc_choosing"
BROWSER = "browser"
"""Who owns what is put aside before anyone has signed in: whoever has the key from the cookie."""


@dataclass(frozen=True, slots=True)
class Choosing:
    """A person known to the provider, who has yet to say for which clinic they are here."""

    answer: Answer = field(repr=False)
    assignments: tuple[Assignment, ...]
    since: datetime


@pages.get("/sign-in/oidc")
def start() -> ResponseReturnValue:
    """To the provider."""
    client, base = _client(), clinic().settings.public_url.rstrip("/")
    if request.host != urlsplit(base).netloc:
        # Its answer comes to our public address, and finds the cookie of that address alone.
        return redirect(base + url_for("oidc.start"))
    try:
        return client.start(base + url_for("oidc.callback"))
    except ProviderAway:
        return _problem("sign_in.oidc_away", 503)


@pages.get("/sign-in/oidc/callback")
def callback() -> ResponseReturnValue:
    """Back from the provider."""
    try:
        answer = _client().finish()
    except ProviderAway:
        return _problem("sign_in.oidc_away", 503)
    except AnswerRefused as refused:
        return _problem(WORDS[refused.why], 403)
    offered = tuple(clinic().services.assignments(answer.claims))
    if not offered:
        return _no_access(answer)
    if len(offered) == 1:
        return _begin(answer, offered[0])
    session[_CHOOSING] = clinic().choosing.put(BROWSER, Choosing(answer, offered, clinic().now()))
    return redirect(url_for("oidc.choose"))


@pages.get("/sign-in/assignment")
def choose() -> ResponseReturnValue:
    """Which of several assignments."""
    kept = clinic().choosing.see(BROWSER, str(session.get(_CHOOSING, "")))
    if kept is None or _is_old(kept):
        return _problem("sign_in.oidc_stale", 403)
    return render_template(
        "clinic/assignment.html", assignments=kept.assignments, own_name=_name(kept.answer.claims)
    )


@pages.post("/sign-in/assignment")
def chosen() -> ResponseReturnValue:
    """This one."""
    number = request.form.get("assignment", "")
    kept = clinic().choosing.take(BROWSER, str(session.get(_CHOOSING, "")))
    if kept is None or _is_old(kept):
        return _problem("sign_in.oidc_stale", 403)
    if not number.isascii() or not number.isdigit() or int(number) >= len(kept.assignments):
        abort(400)
    return _begin(kept.answer, kept.assignments[int(number)])


def _is_old(choosing: Choosing) -> bool:
    return clinic().now() - choosing.since > timedelta(seconds=STARTED_GOOD_FOR_S)


def _begin(answer: Answer, assignment: Assignment) -> ResponseReturnValue:
    account = clinic().services.sign_in_as(answer.claims, assignment)
    if account is None:
        return _no_access(answer)
    to = onward()
    clinic().signins.begin(session, account.id, others=True)
    clinic().id_tokens.keep(session["sign_in"], answer.id_token)
    return redirect(to)


def _no_access(answer: Answer) -> ResponseReturnValue:
    """Known there, and nobody here: say so, and how to go on."""
    url = _client().logout_url(signed_out_url(), answer.id_token)
    return render_template("clinic/no_access.html", provider=_client().settings.name, logout_url=url), 403


def signed_out_url() -> str:
    """Where the provider leads to after signing out; registered there."""
    return clinic().settings.public_url.rstrip("/") + url_for("signin.signed_out")


def _name(claims: Mapping[str, Any]) -> str:
    name = claims.get("name")
    return name if isinstance(name, str) else ""


def _problem(key: str, status: int) -> tuple[str, int]:
    words = texts()(key, provider=_client().settings.name)
    return render_template("clinic/sign_in.html", username="", problem=words), status


def _client() -> OidcClient:
    client = clinic().oidc
    if client is None:
        abort(404)
    return client


WORDS: Mapping[str, str] = {
    "cancelled": "sign_in.oidc_cancelled",
    "stale": "sign_in.oidc_stale",
    "level": "sign_in.oidc_level",
    "wrong": "sign_in.oidc_wrong",
}
