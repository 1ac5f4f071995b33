"""IT's page of those who are told, over the region's own table."""

from __future__ import annotations

from typing import Any

import pytest

from provisioning.notice_channels import NotSent
from provisioning.notice_text import Message
from provisioning.recipient_services import RecipientPages
from provisioning.recipients import Recipients
from tests.provisioning.conftest import CLINIC
from web.clinic.fleet.recipient_services import RecipientWish
from web.clinic.services import Account, NotAllowed, Refused

IT = Account("a9", "Ivar", "it", "")
WISH = RecipientWish(CLINIC, "Receptionen", "desk@vc.example", "https://larm.vc.example/key-8c1f", "sv")


class Way:
    """Keeps what it was to send, or says why not."""

    def __init__(self, why: str = "") -> None:
        self.why, self.sent = why, list[tuple[str, str]]()

    def send(self, to: str, message: Message) -> None:
        if self.why:
            raise NotSent(self.why)
        self.sent.append((to, message.kind))


@pytest.fixture
def ways() -> dict[str, Way]:
    return {"email": Way(), "webhook": Way("the receiver says 503")}


@pytest.fixture
def pages(database: Any, clock: Any, ways: Any) -> RecipientPages:
    return RecipientPages(database, Recipients(database, clock), ways)


def test_added_seen_tried_and_removed(pages: RecipientPages, ways: dict[str, Way]) -> None:
    assert list(pages.clinics(IT)) == [CLINIC]
    pages.add_recipient(IT, WISH)
    (line,) = pages.recipients(IT)
    assert (line.clinic, line.name, line.email, line.last_state) == (
        CLINIC,
        "Receptionen",
        "desk@vc.example",
        None,
    )
    assert line.webhook == "larm.vc.example", "the rest of it may be a secret"
    assert pages.try_recipient(IT, line.id) == {"email": "", "webhook": "the receiver says 503"}
    assert ways["email"].sent == [("desk@vc.example", "test")]
    pages.remove_recipient(IT, line.id)
    assert pages.recipients(IT) == []
    with pytest.raises(Refused, match="is not known"):
        pages.try_recipient(IT, line.id)


def test_a_page_names_no_receiver_on_this_machine(pages: RecipientPages) -> None:
    with pytest.raises(Refused, match="begins with https"):
        pages.add_recipient(IT, RecipientWish(CLINIC, "Larm", None, "http://127.0.0.1:8080/", "sv"))
    assert pages.recipients(IT) == []


@pytest.mark.parametrize("role", ["clinician", "staff"])
def test_nobody_but_it(pages: RecipientPages, role: Any) -> None:
    other = Account("a1", "Anna", role, CLINIC)
    for asked in (
        lambda: pages.clinics(other),
        lambda: pages.recipients(other),
        lambda: pages.add_recipient(other, WISH),
        lambda: pages.try_recipient(other, 1),
        lambda: pages.remove_recipient(other, 1),
    ):
        with pytest.raises(NotAllowed):
            asked()
