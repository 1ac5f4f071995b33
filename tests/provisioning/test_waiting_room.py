"""Who takes whom: one wins, the others see it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from provisioning import meeting_log
from provisioning.accounts import Accounts
from provisioning.booking import Booker, Bookings
from provisioning.database import Database
from provisioning.models import BookedSession
from provisioning.waiting_room import WaitingRoom
from web.clinic.services import Account, NotAllowed, Refused

GOOD = "correct horse battery"


@pytest.fixture
def waiting(database: Database, clock: Any) -> WaitingRoom:
    return WaitingRoom(database, clock)


@pytest.fixture
def doctors(accounts: Accounts) -> list[Account]:
    return [accounts.add(f"doctor{n}", f"Dr {n}", "clinician", "Norra", GOOD) for n in range(4)]


@pytest.fixture
def sid(bookings: Bookings, booker: Booker, clock: Any, wanted: Any) -> str:
    return bookings.book(booker, wanted(clock)).sid


def state(database: Database, sid: str, name: str) -> None:
    with database.write() as db:
        db.get_one(BookedSession, sid).state = name


def kinds(database: Database, sid: str) -> list[str]:
    with database.read() as db:
        return [entry.kind for entry in meeting_log.of_session(db, sid)]


def test_of_four_at_once_one_wins_and_the_others_are_told(
    waiting: WaitingRoom, doctors: list[Account], sid: str
) -> None:
    together = Barrier(len(doctors))

    def take(doctor: Account) -> bool:
        together.wait()
        try:
            return waiting.take(doctor, sid)
        except Refused as refused:
            assert refused.field_name == "taken"
            return False

    with ThreadPoolExecutor(len(doctors)) as pool:
        won = [doctor for doctor, got in zip(doctors, pool.map(take, doctors), strict=True) if got]
    assert len(won) == 1
    held = waiting.taken([sid, "another"])
    assert [(told.account_id, told.name) for told in held.values()] == [(won[0].id, won[0].name)]


def test_taking_twice_is_taking_once(
    waiting: WaitingRoom, doctors: list[Account], database: Database, sid: str
) -> None:
    assert waiting.take(doctors[0], sid)
    assert not waiting.take(doctors[0], sid)
    assert kinds(database, sid) == ["booked", "taken"]


def test_only_who_holds_lets_go_and_then_another_may_take(
    waiting: WaitingRoom, doctors: list[Account], database: Database, sid: str
) -> None:
    waiting.take(doctors[0], sid)
    assert not waiting.release(doctors[1], sid)
    assert waiting.release(doctors[0], sid)
    assert waiting.take(doctors[1], sid)
    assert kinds(database, sid) == ["booked", "taken", "released", "taken"]


def test_taking_over_is_meant_and_logged(
    waiting: WaitingRoom, doctors: list[Account], database: Database, sid: str
) -> None:
    waiting.take(doctors[0], sid)
    with pytest.raises(Refused):
        waiting.take(doctors[1], sid)
    assert waiting.take(doctors[1], sid, over=True)
    assert waiting.taken([sid])[sid].name == "Dr 1"
    assert kinds(database, sid)[-1] == "taken_over"


def test_opening_the_meeting_takes_without_a_second_line_in_the_log(
    waiting: WaitingRoom, doctors: list[Account], database: Database, sid: str
) -> None:
    assert waiting.take(doctors[0], sid, by_opening=True)
    assert kinds(database, sid) == ["booked"]


@pytest.mark.parametrize(("at", "lets_go"), [("waiting", True), ("admitted", False), ("in_call", False)])
def test_who_leaves_before_the_call_lets_go(
    waiting: WaitingRoom, doctors: list[Account], database: Database, sid: str, at: str, lets_go: bool
) -> None:
    waiting.take(doctors[0], sid)
    state(database, sid, at)
    assert waiting.release(doctors[0], sid, before_call=True) is lets_go


@pytest.mark.parametrize("over", ["ended", "wiped", "no_show", "failed"])
def test_what_is_over_is_not_taken(
    waiting: WaitingRoom, doctors: list[Account], database: Database, sid: str, over: str
) -> None:
    state(database, sid, over)
    with pytest.raises(Refused, match="over"):
        waiting.take(doctors[0], sid)


@pytest.mark.parametrize("role", ["staff", "it"])
def test_only_clinicians_take(waiting: WaitingRoom, accounts: Accounts, sid: str, role: str) -> None:
    other = accounts.add("other", "Other", role, "Norra", GOOD)
    with pytest.raises(NotAllowed):
        waiting.take(other, sid)
