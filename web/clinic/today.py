"""The main page of clinicians and staff: the day's list, live."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from flask import Blueprint, Response, abort, jsonify, render_template, request, session

from web.clinic.feeds import EventStream, Shape, TooManyFeeds, respond
from web.clinic.services import Account, Feed
from web.clinic.signin import require_sign_in
from web.clinic.state import Clinic, account, clinic, texts
from web.clinic.wording import describe

pages = Blueprint("today", __name__)
pages.before_request(require_sign_in)
FeedSource = Callable[[], Feed]


@pages.get("/today")
def page() -> str:
    """The list of one day, today's when none is named."""
    day = _day()
    return render_template(
        "clinic/today.html",
        day=day,
        is_today=day.date() == clinic().local(clinic().now()).date(),
        before=(day - timedelta(days=1)).strftime("%Y-%m-%d"),
        after=(day + timedelta(days=1)).strftime("%Y-%m-%d"),
        rows=_rows(day),
    )


@pages.get("/api/today")
def rows() -> str:
    """The list alone, for a page that has heard of a change."""
    return render_template("clinic/_rows.html", rows=_rows(_day()))


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
    here, who, sign_in = clinic(), account(), session.get("sign_in", "")
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


def _may_stay(here: Clinic, who: Account, sign_in: str) -> bool:
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


def _rows(day: datetime) -> list[dict[str, object]]:
    t = texts()
    return [describe(row, account(), t) for row in clinic().services.sessions(account(), day)]
