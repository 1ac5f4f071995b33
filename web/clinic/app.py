"""The app factory: the only place where the region's pages are wired together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask, redirect, send_from_directory, url_for
from werkzeug.wrappers import Response as AnyResponse

from web.clinic import (
    access,
    booking,
    course_page,
    errors,
    fhir,
    help_calls,
    machines,
    meeting,
    queue,
    seat,
    security,
    session_page,
    signin,
    today,
    visit,
    waiting,
    wording,
)
from web.clinic import readiness as readiness_pages
from web.clinic.feeds import Seats
from web.clinic.fleet import wiring as fleet_pages
from web.clinic.fleet.recipient_services import RecipientServices
from web.clinic.fleet.services import FleetServices
from web.clinic.fleet.twice import Deeds
from web.clinic.once import Once
from web.clinic.readiness_services import ReadinessServices
from web.clinic.services import BookingApi, RegionServices
from web.clinic.settings import WebSettings
from web.clinic.signins import IdTokens, SignIns
from web.clinic.state import EXTENSION, Clinic
from web.clinic.texts import load
from web.pause import Pause

if TYPE_CHECKING:
    from web.clinic.oidc import OidcClient

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
    fleet: FleetServices | None = None,
    now: Callable[[], datetime] = _utc_now,
    neighbours: machines.Machines | None = None,
    readiness: ReadinessServices | None = None,
    recipients: RecipientServices | None = None,
) -> Flask:
    """The region's pages and its FHIR door, to be served by one process with many threads.

    fleet: what IT's pages ask; readiness: which booked rooms are not ready; recipients: who is told of
    them. What is left out is not there.

    Feeds and the invitations that are shown once live in this process's memory.
    """
    app = Flask(__name__)
    oidc = _add_oidc(app, settings)
    app.extensions[EXTENSION] = replace(
        hold(services, bookings, settings, now, oidc, fleet=fleet),
        readiness=readiness,
        recipients=recipients,
    )
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    security.guard(app, settings)
    access.register(app)
    for room in (
        signin,
        today,
        waiting,
        booking,
        session_page,
        meeting,
        queue,
        course_page,
        visit,
        fhir,
        help_calls,
        readiness_pages,
    ):
        app.register_blueprint(room.pages)
    machines.hold(app.extensions, neighbours)
    for blueprint in (seat.pages, seat.making, course_page.reports, machines.pages, machines.downloads):
        app.register_blueprint(blueprint)
    fleet_pages.register(app)
    errors.register(app)
    wording.register(app)
    help_calls.register(app)
    app.add_url_rule("/", "front", lambda: redirect(url_for("today.page")))
    app.add_url_rule("/shared/<path:filename>", "shared", _shared)
    return app


def hold(
    services: RegionServices,
    bookings: BookingApi,
    settings: WebSettings,
    now: Callable[[], datetime],
    oidc: OidcClient | None = None,
    *,
    fleet: FleetServices | None = None,
) -> Clinic:
    """A fresh Clinic: nobody has signed in, no feed is open."""
    return Clinic(
        services=services,
        bookings=bookings,
        settings=settings,
        texts=load(),
        signins=SignIns(
            settings.idle_timeout_s,
            settings.sign_in_lifetime_s,
            clock=lambda: now().timestamp(),
            kept=services,
        ),
        seats=Seats(settings.max_feeds, settings.max_feeds_per_account),
        invitations=Once(),
        seat_invitations=Once(),
        quality_pause=Pause(QUALITY_EVERY_S),
        now=now,
        oidc=oidc,
        choosing=Once(),
        id_tokens=IdTokens(),
        fleet=fleet,
        deeds=Deeds(),
    )


def _add_oidc(app: Flask, settings: WebSettings) -> OidcClient | None:
    if settings.oidc is None:
        return None
    # Loaded here: the library and what it brings take a while, and most tests need none of it.
    from web.clinic import signin_oidc
    from web.clinic.oidc import OidcClient

    app.register_blueprint(signin_oidc.pages)
    return OidcClient(app, settings.oidc)


def _shared(filename: str) -> AnyResponse:
    return send_from_directory(_SHARED, filename)
