"""The app factory: the only place where the region's pages are wired together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask, Response, redirect, send_from_directory, url_for
from werkzeug.wrappers import Response as AnyResponse

from web.clinic import (
    booking,
    course_page,
    errors,
    fhir,
    help_calls,
    meeting,
    security,
    session_page,
    signin,
    today,
    visit,
    wording,
)
from web.clinic.feeds import Seats
from web.clinic.once import Once
from web.clinic.services import BookingApi, RegionServices
from web.clinic.settings import WebSettings
from web.clinic.signins import SignIns
from web.clinic.state import EXTENSION, Clinic
from web.clinic.texts import load
from web.pause import Pause

QUALITY_EVERY_S = 2.0
"""Pages send figures every five seconds, and at once again when they have many."""
_SHARED = Path(__file__).parents[1] / "shared"


def _utc_now() -> datetime:
    return datetime.now(UTC)


def create_app(
    services: RegionServices,
    bookings: BookingApi,
    settings: WebSettings,
    *,
    now: Callable[[], datetime] = _utc_now,
) -> Flask:
    """The region's pages and its FHIR door, to be served by one process with many threads.

    Feeds and the invitations that are shown once live in this process's memory.
    """
    app = Flask(__name__)
    app.extensions[EXTENSION] = hold(services, bookings, settings, now)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    security.guard(app, settings)
    for room in (signin, today, booking, session_page, meeting, course_page, visit, fhir, help_calls):
        app.register_blueprint(room.pages)
    errors.register(app)
    wording.register(app)
    help_calls.register(app)
    app.add_url_rule("/", "front", lambda: redirect(url_for("today.page")))
    app.add_url_rule("/healthz", "healthz", _healthz)
    app.add_url_rule("/shared/<path:filename>", "shared", _shared)
    return app


def hold(
    services: RegionServices, bookings: BookingApi, settings: WebSettings, now: Callable[[], datetime]
) -> Clinic:
    """A fresh Clinic: nobody has signed in, no feed is open."""
    return Clinic(
        services=services,
        bookings=bookings,
        settings=settings,
        texts=load(),
        signins=SignIns(
            settings.idle_timeout_s, settings.sign_in_lifetime_s, clock=lambda: now().timestamp()
        ),
        seats=Seats(settings.max_feeds, settings.max_feeds_per_account),
        invitations=Once(),
        quality_pause=Pause(QUALITY_EVERY_S),
        now=now,
    )


def _healthz() -> Response:
    return Response("ok\n", mimetype="text/plain")


def _shared(filename: str) -> AnyResponse:
    return send_from_directory(_SHARED, filename)
