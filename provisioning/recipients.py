"""Whom a clinic wants told of its rooms that are not ready, as IT writes them down."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from provisioning import audit
from provisioning.database import Database
from provisioning.models import Clinic
from provisioning.notice_channels import Channel, NotSent
from provisioning.notice_settings import is_address
from provisioning.notice_text import LANGUAGES, Message
from provisioning.notices import channels_of
from provisioning.oidc_settings import LOOPBACK
from provisioning.readiness_models import Notice, NoticeRecipient
from web.clinic.services import Refused

LONGEST_URL = 500


@dataclass(frozen=True, slots=True)
class Wish:
    """One recipient as it is to be. A name of a function, such as "Receptionen", is enough."""

    clinic: str
    name: str
    email: str | None = None
    webhook: str | None = None
    language: str = "sv"


class Recipients:
    """Every method may be called on any thread."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def add(self, wish: Wish, by: str) -> int:
        """Write one down; raises Refused. The log says the name of nobody, nor an address."""
        check(wish)
        with self._database.write() as db:
            clinic = db.scalar(select(Clinic).where(Clinic.name == wish.clinic))
            if clinic is None:
                known = ", ".join(db.scalars(select(Clinic.name).order_by(Clinic.name))) or "none yet"
                raise Refused("clinic", f"{wish.clinic!r} is not known; known are: {known}")
            row = NoticeRecipient(
                clinic_id=clinic.id,
                name=wish.name.strip(),
                email=wish.email,
                webhook=wish.webhook,
                language=wish.language,
                added_at=self._clock(),
            )
            db.add(row)
            db.flush()
            self._note(db, row, "add_recipient", by)
            return row.id

    def remove(self, recipient: int, by: str) -> None:
        """Forget one, address and all; what was told stays without a name. Raises Refused."""
        with self._database.write() as db:
            row = _known(db, recipient)
            self._note(db, row, "remove_recipient", by)
            db.execute(delete(Notice).where(Notice.recipient_id == recipient, Notice.state == "waiting"))
            db.execute(update(Notice).where(Notice.recipient_id == recipient).values(recipient_id=None))
            db.delete(row)

    def list(self, clinic: str | None = None) -> Sequence[tuple[NoticeRecipient, Notice | None]]:
        """All of a clinic (None: of all), each with the last notice to it."""
        query = select(NoticeRecipient).join(Clinic).order_by(Clinic.name, NoticeRecipient.id)
        if clinic is not None:
            query = query.where(Clinic.name == clinic)
        with self._database.read() as db:
            return [(row, _last(db, row.id)) for row in db.scalars(query)]

    def test(self, recipient: int, ways: Mapping[str, Channel]) -> Mapping[str, str]:
        """Send a test over each of its ways now: by channel why not, empty if it went. Raises Refused."""
        now = self._clock()
        with self._database.read() as db:
            row = _known(db, recipient)
        message = Message(
            id=f"halsorum.test.{row.id}.{int(now.timestamp() * 1000)}",
            kind="test",
            language=row.language,
            name=row.name,
            room="Hälsorum",
        )
        told = {}
        for channel in channels_of(row):
            try:
                ways[channel].send((row.email if channel == "email" else row.webhook) or "", message)
                told[channel] = ""
            except NotSent as error:
                told[channel] = str(error)
        return told

    def _note(self, db: Session, row: NoticeRecipient, action: str, by: str) -> None:
        fields = {"recipient": row.id, "ways": ", ".join(channels_of(row))}
        clinic = db.get_one(Clinic, row.clinic_id).name
        audit.note(db, self._clock(), by=by, action=action, target=clinic, fields=fields)


def check(wish: Wish) -> None:
    """Raises Refused for what nothing could be sent to. Pure."""
    name = wish.name.strip()
    if not (0 < len(name) <= 120 and name.isprintable()):
        raise Refused("name", "is a function or a person in 1 to 120 characters, such as Receptionen")
    if wish.email is None and wish.webhook is None:
        raise Refused("email", "or webhook is needed: --email receptionen@vc.example")
    if wish.email is not None and not is_address(wish.email):
        raise Refused("email", f"{wish.email!r} is no address such as receptionen@vc.example")
    if wish.webhook is not None:
        _check_url(wish.webhook)
    if wish.language not in LANGUAGES:
        raise Refused("language", f"is one of {', '.join(LANGUAGES)}")


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port  # raises ValueError for what is no port
    except ValueError:
        host = None
    if not host or not url.isprintable() or " " in url or len(url) > LONGEST_URL:
        raise Refused("webhook", "is an address such as https://larm.vc.example/halsorum")
    if parts.username is not None:
        raise Refused("webhook", "carries a user or password; the signature says who sends")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in LOOPBACK):
        raise Refused("webhook", "begins with https://; http:// is for this machine alone")


def _known(db: Session, recipient: int) -> NoticeRecipient:
    row = db.get(NoticeRecipient, recipient)
    if row is None:
        raise Refused("recipient", f"{recipient} is not known; `halsorum region recipients list` tells them")
    return row


def _last(db: Session, recipient: int) -> Notice | None:
    query = select(Notice).where(Notice.recipient_id == recipient, Notice.state != "dropped")
    return db.scalar(query.order_by(Notice.id.desc()).limit(1))
