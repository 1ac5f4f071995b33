"""Those who are told of rooms that are not ready, in memory."""

from __future__ import annotations

from datetime import UTC, datetime

from web.clinic.fleet.recipient_services import RecipientLine
from web.clinic.services import NotAllowed

AT = datetime(2026, 3, 2, 8, 40, tzinfo=UTC)
DESK = RecipientLine(
    1, "Kusten", "Receptionen", "sv", email="reception@kusten.example", last_state="sent", last_at=AT
)
ALARM = RecipientLine(
    *(2, "Norra vårdcentralen", "Larmcentralen", "en"),
    webhook="larm.norra.example",
    last_state="failed",
    last_at=AT,
    last_reason="the receiver says 503",
)


class FakeRecipients:
    """RecipientServices; `calls` keeps what was asked, `refuses` is raised, `not_sent` is what a test says."""

    def __init__(self):
        self.lines, self.calls, self.refuses, self.not_sent = [DESK, ALARM], [], None, {}

    def _asked(self, account, *what):
        if account.role != "it":
            raise NotAllowed
        self.calls.append(what)
        if self.refuses:
            raise self.refuses

    def clinics(self, account):
        return ["Kusten", "Norra vårdcentralen"]

    def recipients(self, account):
        return self.lines

    def add_recipient(self, account, wish):
        self._asked(account, "add", wish)

    def try_recipient(self, account, recipient):
        self._asked(account, "try", recipient)
        return {"email": "", **self.not_sent}

    def remove_recipient(self, account, recipient):
        self._asked(account, "remove", recipient)
