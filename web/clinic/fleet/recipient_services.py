"""What the page of those who are told of rooms that are not ready may ask of the region. `provisioning` implements
it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from web.clinic.services import Account


@dataclass(frozen=True, slots=True)
class RecipientWish:
    """One as it is to be: a function or a person of a clinic, with a mail address or a webhook or both."""

    clinic: str
    name: str
    email: str | None
    webhook: str | None
    language: str


@dataclass(frozen=True, slots=True)
class RecipientLine:
    """One as it is. `webhook`: its host alone, since the rest of such an address may be a secret. `last_state`:
    waiting, sent or failed; None where nothing has been told yet."""

    id: int
    clinic: str
    name: str
    language: str
    email: str | None = None
    webhook: str | None = None
    last_state: str | None = None
    last_at: datetime | None = None
    last_reason: str = ""


class RecipientServices(Protocol):
    """Every method may be called on any thread, and raises NotAllowed for all but IT."""

    def clinics(self, account: Account) -> Sequence[str]:
        """All, by name."""

    def recipients(self, account: Account) -> Sequence[RecipientLine]:
        """All, by clinic."""

    def add_recipient(self, account: Account, wish: RecipientWish) -> None:
        """Write one down. Raises Refused."""

    def try_recipient(self, account: Account, recipient: int) -> Mapping[str, str]:
        """Send a test now: by channel (`email`, `webhook`) why it did not go, empty if it went. Raises Refused."""

    def remove_recipient(self, account: Account, recipient: int) -> None:
        """Forget one, address and all. Raises Refused."""
