"""Seats in a meeting: made, opened by link and code, closed, and gone with the session."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from agent.contract.signalling import Join
from provisioning.accounts import Accounts
from provisioning.database import Database
from provisioning.meeting_models import MeetingStanding, Seat
from provisioning.region import Region
from provisioning.rooms import Rooms
from provisioning.seats import MOST_SEATS
from provisioning.settings import BrokerSettings, RegionSettings
from web.clinic.seats import Guest
from web.clinic.services import Account, NotAllowed, Refused, TooManyTries

CLINIC = "Norra vårdcentralen"
LABEL = "Arabisktolk 4711"


def newest(feed: Any) -> dict[str, Any]:
    """What the page knows of the meeting now."""
    return [message for message in iter(lambda: feed.get(0), None) if message["type"] == "parties"][-1]


class FakeLink:
    """A link that is up and passes on to the wire."""

    up = True

    def __init__(self, wire: Any) -> None:
        self.publish = wire.publish

    def stop(self) -> None:
        """Nothing to stop."""


@pytest.fixture
def region(
    tmp_path: Path, database: Database, rooms: Rooms, clock: Any, wire: Any, monkeypatch: pytest.MonkeyPatch
) -> Region:
    broker = BrokerSettings(ca_file=tmp_path, certificate_file=tmp_path, key_file=tmp_path)
    monkeypatch.setattr("provisioning.region.Database", lambda url: {"url:": database}[url])
    settings = RegionSettings(database_url="url:", state_dir=tmp_path, broker=broker)
    return Region(settings, clock=clock, make_link=lambda *_, **__: FakeLink(wire))


@pytest.fixture
def doctor(accounts: Accounts) -> Account:
    return accounts.add("anna", "Anna", "clinician", CLINIC, "correct horse battery")


@pytest.fixture
def stranger(accounts: Accounts) -> Account:
    return accounts.add("cy", "Cy", "clinician", "Södra vårdcentralen", "correct horse battery")


@pytest.fixture
def sid(region: Region, doctor: Account, wanted: Any, clock: Any) -> str:
    """A session that begins in ten minutes: its meeting is open."""
    return region.services.book(doctor, wanted(clock, hours=1 / 6)).sid


def kinds(region: Region, account: Account, sid: str) -> list[str]:
    return [line.kind for line in region.services.log(account, sid)]


def test_a_link_and_its_code_open_one_meeting_as_often_as_needed(
    region: Region, doctor: Account, sid: str, database: Database
) -> None:
    made = region.seats.make(doctor, sid, "interpreter", f"  {LABEL} ")
    look = region.seats.look(made.token)
    assert (look.sid, look.role, look.is_open, look.in_use) == (sid, "interpreter", True, False)
    first, second = region.seats.claim(made.token, made.code), region.seats.claim(made.token, made.code)
    assert (first.id, first.sid) == (second.id, second.sid) == (made.id, sid)
    assert first.place != second.place, "another browser is somebody else until the chair has looked"
    assert region.seats.guest(first.id, sid, first.place) == first
    assert region.seats.guest(first.id, "othersession1", first.place) is None
    with database.read() as db:
        kept = db.scalars(select(Seat)).one()
    assert made.token not in str(vars(kept)) and made.code not in (kept.code_digest, kept.salt)
    (line,) = region.seats.list(doctor, sid)
    assert (line.label, line.state) == (LABEL, "claimed")
    said = str(region.services.log(doctor, sid))
    assert kinds(region, doctor, sid)[1:] == ["seat_made", "seat_claimed", "seat_claimed"]
    assert LABEL not in said and made.code not in said and made.token not in said


@pytest.mark.parametrize(
    ("role", "label", "field"),
    [
        ("clinician", "", "role"),
        ("staff", "", "role"),
        ("relative", "x" * 41, "label"),
        ("relative", "19121212-1212", "label"),
        ("relative", "mamma till 121212 1212", "label"),
    ],
)
def test_a_seat_is_not_made_for_staff_nor_with_a_label_that_tells_who_the_patient_is(
    region: Region, doctor: Account, sid: str, role: str, label: str, field: str
) -> None:
    with pytest.raises(Refused) as refused:
        region.seats.make(doctor, sid, role, label)
    assert refused.value.field_name == field
    assert region.seats.list(doctor, sid) == []


def test_a_session_has_so_many_seats_and_no_more(region: Region, doctor: Account, sid: str) -> None:
    made = [region.seats.make(doctor, sid, "relative", "") for _ in range(MOST_SEATS)]
    with pytest.raises(Refused, match="already"):
        region.seats.make(doctor, sid, "relative", "")
    region.seats.withdraw(doctor, sid, made[0].id)
    region.seats.make(doctor, sid, "relative", "")


def test_wrong_codes_make_this_seat_pause_and_no_other(
    region: Region, doctor: Account, sid: str, clock: Any
) -> None:
    made, other = (region.seats.make(doctor, sid, "relative", "") for _ in range(2))
    wrong = "000000" if made.code != "000000" else "000001"
    for _ in range(5):
        with pytest.raises(Refused, match="is wrong"):
            region.seats.claim(made.token, wrong)
    with pytest.raises(TooManyTries):
        region.seats.claim(made.token, made.code)
    region.seats.claim(other.token, other.code)
    clock.pass_by(minutes=2)
    region.seats.claim(made.token, made.code)


def test_a_link_before_its_time_says_when_it_opens(
    region: Region, doctor: Account, wanted: Any, clock: Any
) -> None:
    row = region.services.book(doctor, wanted(clock, hours=3))
    made = region.seats.make(doctor, row.sid, "interpreter", "")
    look = region.seats.look(made.token)
    assert not look.is_open
    assert (look.start - look.opens_at).total_seconds() == 15 * 60
    with pytest.raises(Refused, match="opens later"):
        region.seats.claim(made.token, made.code)
    clock.now = look.opens_at
    assert region.seats.claim(made.token, made.code).sid == row.sid


def over_by_unit(region: Region, hand: Any, clock: Any, doctor: Account, sid: str) -> None:
    taken = region.inbox.events.take("unit-1", hand.event("call_ended", clock.now, sid, reason="ended"))
    region.services.changed(taken.changed_sid)


def cancelled(region: Region, hand: Any, clock: Any, doctor: Account, sid: str) -> None:
    region.services.cancel(doctor, sid)


def nobody_said_anything(region: Region, hand: Any, clock: Any, doctor: Account, sid: str) -> None:
    clock.pass_by(hours=3)
    region.seats.tick()


@pytest.mark.parametrize("end", [over_by_unit, cancelled, nobody_said_anything])
def test_when_the_session_is_over_nothing_is_left_of_its_seats(
    region: Region,
    doctor: Account,
    sid: str,
    database: Database,
    unit_hand: Any,
    clock: Any,
    end: Callable[..., None],
) -> None:
    made = region.seats.make(doctor, sid, "interpreter", LABEL)
    guest = region.seats.claim(made.token, made.code)
    region.services.open_meeting(doctor, sid, "page-one")
    feed = region.services.open_meeting(guest, sid, "page-one")
    end(region, unit_hand, clock, doctor, sid)
    with database.read() as db:
        assert db.scalars(select(Seat)).all() == []
        assert db.scalars(select(MeetingStanding)).all() == []
    with pytest.raises(Refused, match="is over"):
        region.seats.look(made.token)
    assert region.seats.guest(guest.id, sid, guest.place) is None
    with pytest.raises(NotAllowed):
        region.services.open_meeting(guest, sid, "page-two")
    states = []
    with pytest.raises(StopIteration):
        while (message := feed.get(0)) is not None:
            states.append(message.get("state"))
    assert states == ["waiting", "ended"]


def test_nothing_is_left_of_a_meeting_without_seats_whose_unit_said_nothing(
    region: Region, doctor: Account, sid: str, database: Database, clock: Any
) -> None:
    def kept() -> int:
        with database.read() as db:
            return len(db.scalars(select(MeetingStanding)).all())

    feed = region.services.open_meeting(doctor, sid, "page-one")
    clock.pass_by(hours=3)
    region.seats.tick()
    assert kept() == 1, "it goes on beyond its time"
    feed.close()
    clock.pass_by(minutes=1)
    region.signalling.tick()
    region.seats.tick()
    assert kept() == 0


def test_a_guest_may_come_to_their_meeting_and_to_nothing_else(
    region: Region, doctor: Account, sid: str, wanted: Any, clock: Any, wire: Any
) -> None:
    other = region.services.book(doctor, wanted(clock, hours=2)).sid
    made = region.seats.make(doctor, sid, "relative", "")
    guest = region.seats.claim(made.token, made.code)
    assert region.services.meeting(guest, sid).sid == sid
    assert not region.services.is_admitted(guest, sid)
    for attempt in (
        lambda: region.services.meeting(guest, other),
        lambda: region.services.open_meeting(guest, other, "page-one"),
        lambda: region.services.signal(guest, other, "page-one", {"type": "leave"}),
        lambda: region.services.saw(guest, other, "page-one", []),
        lambda: region.services.meeting(Guest(guest.id, other, "relative", "p"), other),
    ):
        with pytest.raises(NotAllowed):
            attempt()
    region.seats.withdraw(doctor, sid, made.id)
    with pytest.raises(NotAllowed):
        region.services.meeting(guest, sid)
    assert wire.take("dn/call") == []


def test_a_professional_of_another_clinic_comes_by_the_link_and_knocks(
    region: Region, doctor: Account, stranger: Account, accounts: Accounts, sid: str, wire: Any
) -> None:
    made = region.seats.make(doctor, sid, "specialist", "")
    for attempt in (
        lambda: region.services.open_meeting(stranger, sid, "page-one"),
        lambda: region.seats.make(stranger, sid, "relative", ""),
        lambda: region.seats.list(stranger, sid),
        lambda: region.seats.withdraw(stranger, sid, made.id),
        lambda: region.seats.claim_as(
            accounts.add("it", "I", "it", CLINIC, "correct horse battery"), made.token
        ),
    ):
        with pytest.raises(NotAllowed):
            attempt()
    assert region.seats.claim_as(stranger, made.token).sid == sid
    mine = region.services.open_meeting(doctor, sid, "page-one")
    assert [message.data.role for message in wire.take("dn/call")] == ["clinician"]
    theirs = region.services.open_meeting(stranger, sid, "page-one")
    assert theirs.get(0) == {"type": "lobby", "state": "waiting"}
    assert theirs.get(0) is None, "nothing of the session is told outside"
    knock = newest(mine)["lobby"][0]
    assert (knock["role"], knock["identified"]) == ("specialist", "account")
    region.services.signal(doctor, sid, "page-one", {"type": "admit_party", "peer": knock["peer"]})
    (joined,) = wire.take("dn/call")
    assert isinstance(joined.data, Join)
    assert (joined.data.role, joined.data.chair) == ("specialist", False)
    told = [message["type"] for message in iter(lambda: theirs.get(0), None)]
    assert {"lobby", "parties", "session"} <= set(told)
    for attempt in (
        lambda: region.services.session(stranger, sid),
        lambda: region.services.log(stranger, sid),
        lambda: region.services.check_in(stranger, sid),
    ):
        with pytest.raises(NotAllowed):
            attempt()


def test_a_region_that_was_restarted_knows_who_was_let_in(
    region: Region, doctor: Account, sid: str, wire: Any, clock: Any
) -> None:
    made = region.seats.make(doctor, sid, "interpreter", "")
    guest = region.seats.claim(made.token, made.code)
    mine = region.services.open_meeting(doctor, sid, "page-one")
    region.services.open_meeting(guest, sid, "page-one")
    peer = newest(mine)["lobby"][0]["peer"]
    region.services.signal(doctor, sid, "page-one", {"type": "admit_party", "peer": peer})
    wire.take("dn/call")
    clock.pass_by(seconds=2)
    again = Region(region.settings, clock=clock, make_link=lambda *_, **__: FakeLink(wire))
    assert again.services.is_admitted(guest, sid)
    again.services.open_meeting(guest, sid, "page-one")
    assert [message.topic.levels[1] for message in wire.take("dn/call")] == [peer]
