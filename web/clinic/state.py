"""What one running web app holds, and how a view reaches it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, cast

from flask import current_app, g, session

from web.clinic.feeds import Seats
from web.clinic.once import Once
from web.clinic.seats import SeatInvitation
from web.clinic.services import Account, BookingApi, Invitation, Person, RegionServices
from web.clinic.settings import WebSettings
from web.clinic.signins import IdTokens, SignIns
from web.clinic.texts import LANGUAGES, Texts
from web.pause import Pause

if TYPE_CHECKING:
    from web.clinic.fleet.recipient_services import RecipientServices
    from web.clinic.fleet.services import FleetServices
    from web.clinic.fleet.twice import Deeds
    from web.clinic.oidc import OidcClient
    from web.clinic.readiness_services import ReadinessServices
    from web.clinic.signin_oidc import Choosing

EXTENSION = "halsorum.clinic"


@dataclass(frozen=True, slots=True)
class Clinic:
    """Everything a view may use."""

    services: RegionServices
    bookings: BookingApi
    settings: WebSettings
    texts: dict[str, Texts]
    signins: SignIns
    seats: Seats
    invitations: Once[Invitation]
    seat_invitations: Once[SeatInvitation]
    quality_pause: Pause
    now: Callable[[], datetime]
    oidc: OidcClient | None
    """The OpenID provider, where the region has one."""
    choosing: Once[Choosing]
    id_tokens: IdTokens
    fleet: FleetServices | None
    """What IT's pages ask, where the region has it."""
    deeds: Deeds
    readiness: ReadinessServices | None = None
    """Which booked rooms are not ready, where the region looks after that."""
    recipients: RecipientServices | None = None
    """Who is told of them."""

    def local(self, at: datetime) -> datetime:
        """The same instant on the clinic's clock."""
        return at.astimezone(self.settings.zone)


def clinic() -> Clinic:
    """This app's Clinic."""
    return cast(Clinic, current_app.extensions[EXTENSION])


def texts() -> Texts:
    """The texts in the language this browser has chosen."""
    language = session.get("language", LANGUAGES[0])
    return clinic().texts.get(language) or clinic().texts[LANGUAGES[0]]


def account() -> Account:
    """Who has signed in; only for views behind the guard."""
    return cast(Account, g.account)


def person() -> Person:
    """Who is in the meeting or comes to it; only for views behind its guard."""
    return cast(Person, g.get("person") or g.account)
