"""What IT's page of those who are told may do (web.clinic.fleet.recipient_services.RecipientServices)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from sqlalchemy import select

from provisioning.database import Database
from provisioning.models import Clinic
from provisioning.notice_channels import Channel
from provisioning.readiness_models import Notice, NoticeRecipient
from provisioning.recipients import Recipients, Wish
from web.clinic.fleet.recipient_services import RecipientLine, RecipientWish
from web.clinic.services import Account, NotAllowed, Refused


class RecipientPages:
    """Every method may be called on any thread."""

    def __init__(self, database: Database, recipients: Recipients, ways: Mapping[str, Channel]) -> None:
        """ways: by `email` and `webhook`, how a test is sent."""
        self._database, self._recipients, self._ways = database, recipients, ways

    def clinics(self, account: Account) -> Sequence[str]:
        """All, by name."""
        _only_it(account)
        with self._database.read() as db:
            return list(db.scalars(select(Clinic.name).order_by(Clinic.name)))

    def recipients(self, account: Account) -> Sequence[RecipientLine]:
        """All, by clinic."""
        _only_it(account)
        return [_line(row, last) for row, last in self._recipients.list()]

    def add_recipient(self, account: Account, wish: RecipientWish) -> None:
        """Write one down. Raises Refused."""
        _only_it(account)
        if wish.webhook is not None and not wish.webhook.startswith("https://"):
            # The command line may name a receiver on this machine; from a page that would be a way into it.
            raise Refused("webhook", "begins with https://")
        made = Wish(wish.clinic, wish.name, wish.email, wish.webhook, wish.language)
        self._recipients.add(made, account.id)

    def try_recipient(self, account: Account, recipient: int) -> Mapping[str, str]:
        """Send a test now. Raises Refused."""
        _only_it(account)
        return self._recipients.test(recipient, self._ways)

    def remove_recipient(self, account: Account, recipient: int) -> None:
        """Forget one, address and all. Raises Refused."""
        _only_it(account)
        self._recipients.remove(recipient, account.id)


def _line(row: NoticeRecipient, last: Notice | None) -> RecipientLine:
    return RecipientLine(
        id=row.id,
        clinic=row.clinic.name,
        name=row.name,
        language=row.language,
        email=row.email,
        webhook=urlsplit(row.webhook).hostname if row.webhook else None,
        last_state=last.state if last else None,
        last_at=(last.sent_at or last.made_at) if last else None,
        last_reason=last.reason if last else "",
    )


def _only_it(account: Account) -> None:
    if account.role != "it":
        raise NotAllowed
