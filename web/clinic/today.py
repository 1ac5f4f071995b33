"""The main page of clinicians and staff: the day's list, live."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, cast

from flask import Blueprint, Response, abort, jsonify, redirect, render_template, request, session, url_for

from web.clinic.feeds import EventStream, Shape, TooManyFeeds, respond
from web.clinic.readiness import shown
from web.clinic.seats import Guest
from web.clinic.services import Feed, Person, SessionRow
from web.clinic.signin import require_sign_in
from web.clinic.state import Clinic, account, clinic, person, texts
from web.clinic.wording import describe

pages = Blueprint("today", __name__)
pages.before_request(require_sign_in)
FeedSource = Callable[[], Feed]


@pages.get("/today")
def page() -> str | Response:
    """The list of one day, today's when none is named. IT sees no sessions, and begins at the fleet."""
    if account().role == "it":
        return cast(Response, redirect(url_for("units.page" if clinic().fleet else "calls.page")))
    day = _day()
    return render_template(
        "clinic/today.html",
        day=day,
        is_today=_is_today(day),
        before=(day - timedelta(days=1)).strftime("%Y-%m-%d"),
        after=(day + timedelta(days=1)).strftime("%Y-%m-%d"),
        **_lists(day),
    )


@pages.get("/api/today")
def rows() -> str:
    """The list alone, for a page that has heard of a change."""
    return render_template("clinic/_rows.html", **_lists(_day()))


@pages.get("/api/feed")
def feed() -> Response | tuple[Response, int]:
    """`changed` each time the list may look different."""
    return open_feed(lambda: clinic().services.watch(account()), lambda message: message)


def open_feed(
    source: FeedSource, shape: Shape, ping_s: float | None = None
) -> Response | tuple[Response, int]:
    """Answer with a feed, if there is a seat; it ends when the person signs out or may no longer be here."""
    if request.method != "GET":
        abort(405)
    here, who, sign_in = clinic(), person(), session.get("sign_in", "")
    try:
        here.seats.take(who.id)
    except TooManyFeeds:
        return jsonify(error="too_many_feeds"), 503
    try:
        feed = source()
    except BaseException:
        here.seats.free(who.id)
        raise
    stream = EventStream(
        feed,
        ping_s=ping_s or here.settings.feed_ping_s,
        alive=lambda: _may_stay(here, who, sign_in),
        shape=shape,
        released=lambda: here.seats.free(who.id),
    )
    return respond(stream)


def _may_stay(here: Clinic, who: Person, sign_in: str) -> bool:
    if isinstance(who, Guest):
        return True  # the region ends their feed with their seat, after the last word to them
    return not here.signins.has_ended(sign_in) and here.services.account(who.id) is not None


def _day() -> datetime:
    """Local midnight of the day asked for; 400 for what is no date."""
    asked = request.args.get("day")
    if not asked:
        return clinic().local(clinic().now()).replace(hour=0, minute=0, second=0, microsecond=0)
    try:
        return datetime.strptime(asked, "%Y-%m-%d").replace(tzinfo=clinic().settings.zone)
    except ValueError:
        abort(400)


def _is_today(day: datetime) -> bool:
    return day.date() == clinic().local(clinic().now()).date()


def _lists(day: datetime) -> dict[str, object]:
    """Who waits, longest first, and the others by their time; today, which rooms are not ready."""
    sessions, t = clinic().services.sessions(account(), day), texts()
    taken = clinic().services.taken(account(), [row.sid for row in sessions])
    told = [describe(row, account(), t, taken) for row in sessions]
    waits = [item for item, row in zip(told, sessions, strict=True) if row.state == "waiting"]
    not_ready = shown(url_for("today.page")) if _is_today(day) else {"rooms": []}
    return {
        **not_ready,
        "waiting": sorted(waits, key=_arrived),
        "rows": [item for item, row in zip(told, sessions, strict=True) if row.state != "waiting"],
    }


def _arrived(item: dict[str, Any]) -> datetime:
    row: SessionRow = item["row"]
    return row.checked_in_at or row.start
