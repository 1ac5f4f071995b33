"""Staff's wishes through the whole region, with the broker played: what the units and the pages then hear."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.contract import Topic, encode
from agent.contract.events import Intent
from agent.contract.schedule import ScheduleReport
from agent.contract.signalling import Join
from agent.contract.status import Status
from provisioning.accounts import Accounts
from provisioning.queues import Queues
from provisioning.region import Region
from provisioning.settings import BrokerSettings, RegionSettings
from web.clinic.services import Account, NotAllowed

SOUTH = "Södra vårdcentralen"


@pytest.fixture
def region(
    tmp_path: Path, database: Any, rooms: Any, clock: Any, wire: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Region]:
    rooms.assign("west", "unit-2")
    broker = BrokerSettings(ca_file=tmp_path, certificate_file=tmp_path, key_file=tmp_path)
    monkeypatch.setattr("provisioning.region.Database", lambda url: {"url:": database}[url])
    settings = RegionSettings(database_url="url:", state_dir=tmp_path, broker=broker)
    made = Region(settings, clock=clock, make_link=lambda *_, **__: wire.link())
    for unit in ("unit-1", "unit-2"):
        say(made, unit, "up/status", Status(state="ready", boot=1))
    yield made
    made.stop()


def say(region: Region, unit: str, channel: str, data: Any, *levels: str) -> None:
    region.inbox.handle(str(Topic(unit, channel, levels)), encode(data, now=region.clock()))


def ask(region: Region, unit: str, kind: str, **fields: Any) -> None:
    say(region, unit, "up/intent", Intent(id="q1", **fields), kind)


def test_who_waits_for_a_session_follows_it_to_its_new_room_once_the_unit_there_has_it(
    region: Region, accounts: Accounts, wire: Any, clock: Any, wanted: Any
) -> None:
    doctor = accounts.add("anna", "Anna", "clinician", "Norra vårdcentralen", "correct horse battery")
    sid = region.services.book(doctor, wanted(clock, hours=0.1)).sid
    region.services.open_meeting(doctor, sid, "page-one")
    region.schedules.work_off_outbox()
    wire.sent.clear()
    ask(region, "unit-1", "hand_over", sid=sid, room="west")
    assert [notice.data.ok for notice in wire.take("dn/notice")] == [True]
    region.schedules.work_off_outbox()
    revs = {message.topic.unit: message.rev for message in wire.take("dn/schedule")}
    assert wire.take("dn/call") == [], "the unit there knows nothing of it yet"
    report = ScheduleReport(epoch=1, rev=revs["unit-2"], sha256="ab" * 32, outcome="accepted")
    say(region, "unit-2", "up/schedule", report)
    joins = [message for message in wire.take("dn/call") if isinstance(message.data, Join)]
    assert [message.topic.unit for message in joins] == ["unit-2"]
    assert region.services.session(doctor, sid).room.id == "west"


def test_a_queues_clinician_may_chair_in_another_clinics_room_and_nobody_else_may(
    region: Region, accounts: Accounts, database: Any, wire: Any, clock: Any
) -> None:
    eva = accounts.add("eva", "Eva", "clinician", SOUTH, "correct horse battery")
    stranger = accounts.add("cy", "Cy", "clinician", "Östra vårdcentralen", "correct horse battery")
    Queues(database, clock).add("jour", "Jouren", SOUTH)
    ask(region, "unit-1", "dropin", queue="jour", by="s1")
    clock.pass_by(seconds=1)
    assert region.places.tick()
    told = [(each.topic.levels[0], each.data.ok, each.data.place) for each in wire.take("dn/notice")]
    assert told == [("intent", True, None), ("queue", True, 1)]
    sid = region.services.take_from_queue(eva, "jour", None)
    region.services.open_meeting(eva, sid, "page-one")
    (join,) = [each.data for each in wire.take("dn/call") if isinstance(each.data, Join)]
    assert (join.role, join.chair) == ("clinician", True)
    assert [row.sid for row in region.services.sessions(eva, clock.now)] == [sid]
    with pytest.raises(NotAllowed):
        region.services.session(stranger, sid)
    region.schedules.work_off_outbox()
    planned = [each for message in wire.take("dn/schedule") for each in message.data.sessions]
    assert [(each["with"]["clinic"], each["kind"]) for each in planned] == [(SOUTH, "dropin")]


def test_a_room_that_gets_another_patient_waits_in_no_queue(
    region: Region, accounts: Accounts, database: Any, unit_hand: Any, wire: Any, clock: Any, wanted: Any
) -> None:
    doctor: Account = accounts.add(
        "anna", "Anna", "clinician", "Norra vårdcentralen", "correct horse battery"
    )
    Queues(database, clock).add("jour", "Jouren", SOUTH)
    sid = region.services.book(doctor, wanted(clock, hours=0.1)).sid
    ask(region, "unit-1", "dropin", queue="jour")
    say(region, "unit-1", "up/event", unit_hand.event("checked_in", clock.now, sid, how="code"), "checked_in")
    wire.sent.clear()
    clock.pass_by(seconds=1)
    region.places.tick()
    assert [(each.data.queue, each.data.place) for each in wire.take("dn/notice")] == [(None, None)]
