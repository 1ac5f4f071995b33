"""Rooms that are booked today and not ready, worst first: one thing to do, a try again, and another room."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from agent.contract.instructions import Text, instruction, text
from web.clinic.figures_plot import bars
from web.clinic.readiness_figures import CAUSES, FIRST_YEAR, LAST_YEAR
from web.clinic.readiness_services import NotReadyRoom, ReadinessServices
from web.clinic.refusals import refusal_words
from web.clinic.services import Refused
from web.clinic.signin import is_ours, require_sign_in
from web.clinic.state import account, clinic, texts

pages = Blueprint("readiness", __name__)
pages.before_request(require_sign_in)
PICTURES = Path(__file__).parents[1] / "shared" / "pictures"
"""Drawn of what to do; the unit's own screen shows the same."""
Answer = Response | tuple[str, int]


@dataclass(frozen=True, slots=True)
class Line:
    """One room, in words."""

    room: NotReadyRoom
    said: Text
    picture: str
    start: str
    since: str
    told: tuple[str, ...]


@pages.get("/readiness")
def page() -> str:
    """The list by itself, as notices link to it."""
    return render_template("clinic/readiness.html", **shown())


@pages.get("/api/readiness")
def rows() -> str:
    """The list alone, for a page that has heard of a change."""
    return render_template("clinic/_readiness.html", **shown())


@pages.get("/readiness/figures")
def figures() -> str:
    """How ready the rooms were in a month."""
    month, t = _month(), texts()
    months = _asked().figures(account(), f"{month:%Y-%m}")
    words: dict[str, str] = {cause: t.of("figures.cause", cause) for cause in CAUSES}
    words |= {"in_time": t("figures.in_time"), "title": t("figures.title")}
    return render_template(
        "clinic/figures.html",
        month=f"{month:%Y-%m}",
        before=f"{month - timedelta(days=1):%Y-%m}",
        after=f"{month + timedelta(days=32):%Y-%m}",
        months=months,
        causes=CAUSES,
        drawn=bars(months, words.__getitem__) if any(each.held for each in months) else "",
        said=lambda key: text(t.language, key).fault,
    )


@pages.get("/readiness/figures.csv")
def figures_csv() -> Response:
    """The same for a spreadsheet."""
    month = f"{_month():%Y-%m}"
    name = f"halsorum-{month}.csv"
    answer = Response(_asked().figures_csv(account(), month), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _month() -> datetime:
    """The first of the month asked for, this one when none is; 400 for what is no month."""
    asked = request.args.get("month")
    if not asked:
        return clinic().local(clinic().now()).replace(day=1)
    try:
        month = datetime.strptime(asked, "%Y-%m")
    except ValueError:
        abort(400)
    # The page names its neighbours too.
    return month if FIRST_YEAR < month.year < LAST_YEAR else abort(400)


@pages.post("/readiness/<room>/try")
def try_again(room: str) -> Answer:
    """Have the room test itself now."""
    return _try(lambda: _asked().try_again(account(), room))


@pages.post("/readiness/<sid>/move")
def move(sid: str) -> Answer:
    """Move a session to the room that stands on the button."""
    return _try(lambda: _asked().move_to(account(), sid, request.form.get("room", "")))


def shown(back: str = "/readiness") -> dict[str, object]:
    """For the template: the list of the signed-in person, empty where the region has none. back: where its buttons
    lead to."""
    readiness = clinic().readiness
    rooms = [] if readiness is None else [_line(room) for room in readiness.not_ready(account())]
    return {"rooms": rooms, "back": back, "pictures": _pictures()}


@cache
def _pictures() -> frozenset[str]:
    return frozenset(file.stem for file in PICTURES.glob("*.svg"))


def _line(room: NotReadyRoom) -> Line:
    t = texts()
    told = tuple(
        t.of("ready.told", each.state).format(name=each.name, time=_time(each.at))
        for each in room.told
        if each.name
    )
    return Line(
        room=room,
        said=text(t.language, room.instruction),
        picture=instruction(room.instruction).picture,
        start=_time(room.start),
        since=_time(room.since) if room.since else "",
        told=tuple(dict.fromkeys(told)),
    )


def _time(at: datetime) -> str:
    local = clinic().local(at)
    is_today = local.date() == clinic().local(clinic().now()).date()
    return local.strftime("%H:%M" if is_today else "%Y-%m-%d %H:%M")


def _asked() -> ReadinessServices:
    readiness = clinic().readiness
    if readiness is None:
        abort(404)
    return readiness


def _try(change: Callable[[], None]) -> Answer:
    try:
        change()
    except Refused as refused:
        return render_template("clinic/error.html", problem=refusal_words(refused, texts())), 409
    back = request.form.get("back", "")
    return redirect(back if is_ours(back) else url_for("readiness.page"), code=303)
