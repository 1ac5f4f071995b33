"""The bar over every page of clinicians and staff that rings when somebody in a room calls for help."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, Flask, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from web.clinic.refusals import refusal_words
from web.clinic.services import HelpLine, Refused
from web.clinic.signin import is_ours, require_sign_in
from web.clinic.state import account, clinic, texts
from web.clinic.wording import Tone, minutes_since

pages = Blueprint("help", __name__)
pages.before_request(require_sign_in)
ANSWERERS = frozenset({"clinician", "staff"})


@dataclass(frozen=True, slots=True)
class Alarm:
    """One room's line in the bar; `question` is on its button, which is there while nobody comes."""

    unit: str
    id: str
    tone: Tone
    rings: bool
    words: str
    question: str


@pages.get("/api/help")
def bar() -> str:
    """The bar alone, for a page that has heard of a change."""
    return render_template("clinic/_help.html")


@pages.post("/help/<unit>/<call_id>/come")
def come(unit: str, call_id: str) -> Response | tuple[str, int]:
    """Go there; the page that asked is shown again, or told why not."""
    try:
        clinic().services.come(account(), unit, call_id)
    except Refused as refused:
        return refusal_words(refused, texts()), 409
    back = request.form.get("back", "")
    return redirect(back if is_ours(back) else url_for("today.page"), code=303)


def register(app: Flask) -> None:
    """Give every template the calls, where someone has signed in who may answer them."""

    @app.context_processor
    def calls() -> dict[str, Any]:
        who = g.get("account")
        if who is None or who.role not in ANSWERERS:
            return {"alarms": None}
        return {"alarms": [_alarm(line) for line in clinic().services.help_calls(who)]}


def _alarm(line: HelpLine) -> Alarm:
    t, room = texts(), line.room_name
    asked = _time(line.asked_at)
    if line.answered_at is not None:
        who = t("help.mine") if line.is_mine else t("help.taken", name=line.answered_by)
        words = f"{t('help.asked', room=room, time=asked)} {who}"
        return Alarm(line.unit, line.id, "good", rings=False, words=words, question="")
    if line.late:
        words = t("help.late", room=room, time=asked)
        return Alarm(line.unit, line.id, "attention", rings=False, words=words, question=t("help.seen"))
    minutes = minutes_since(line.asked_at, clinic().now())
    words = t("help.asks", room=room, time=asked, minutes=minutes)
    return Alarm(line.unit, line.id, "trouble", rings=line.rings, words=words, question=t("help.come"))


def _time(at: datetime) -> str:
    local = clinic().local(at)
    is_today = local.date() == clinic().local(clinic().now()).date()
    return local.strftime("%H:%M" if is_today else "%Y-%m-%d %H:%M")
