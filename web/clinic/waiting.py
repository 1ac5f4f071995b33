"""The shared waiting room: a clinician says which patient they take, and lets go again."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from web.clinic.refusals import refusal_words
from web.clinic.services import Refused
from web.clinic.signin import require_sign_in
from web.clinic.state import account, clinic, texts

pages = Blueprint("waiting", __name__, url_prefix="/sessions")
pages.before_request(require_sign_in)
Answer = Response | tuple[str, int]


@pages.post("/<sid>/take")
def take(sid: str) -> Answer:
    """'I take this patient'; from a colleague only if the form says so."""
    over = request.form.get("over") == "yes"
    return _try(lambda: clinic().services.take(account(), sid, over=over))


@pages.post("/<sid>/release")
def release(sid: str) -> Answer:
    """Somebody else may take the patient."""
    return _try(lambda: clinic().services.release(account(), sid))


def _try(change: Callable[[], None]) -> Answer:
    try:
        change()
    except Refused as refused:
        return render_template("clinic/error.html", problem=refusal_words(refused, texts())), 409
    return redirect(url_for("today.page"), code=303)
