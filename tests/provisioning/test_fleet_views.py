"""How the fleet is, as IT's list and pages show it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from agent.contract.status import Clock as UnitClock
from agent.contract.status import Fault, Info, Status
from provisioning import fleet_services
from provisioning.booking import Booker, Bookings
from provisioning.commands import Commands
from provisioning.configurations import Configurations
from provisioning.database import Database
from provisioning.enrolments import Enrolments
from provisioning.fleet import Fleet
from provisioning.fleet_health import HEALTH, UnitFacts, health
from provisioning.fleet_models import Revocation, TelemetryRow
from provisioning.fleet_services import FleetServices
from provisioning.fleet_views import unit_lines
from provisioning.models import BookedSession, Unit, UnitReport
from tests.provisioning.conftest import CLINIC
from web.clinic.fleet.services import UnitLine, UnitQuery
from web.clinic.services import Account, NotAllowed, Refused

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
WELL = UnitFacts(
    state="ready",
    since=NOW - timedelta(days=1),
    heard_at=NOW - timedelta(seconds=30),
    revoked=False,
    certificate_until=NOW + timedelta(days=60),
    config="current",
    config_changed_at=NOW - timedelta(days=1),
    schedule_current=True,
    schedule_outcome="accepted",
    in_room=True,
    figures={
        "disk_free_mib": 5000.0,
        "disk_total_mib": 20000.0,
        "temperature_c": 55.0,
        "clock_offset_s": 0.1,
    },
)
IT = Account("acc-it", "Ia Teknik", "it", CLINIC)


@pytest.fixture
def services(database: Database, clock: Any) -> FleetServices:
    return FleetServices(database, clock, Enrolments(database, clock), Commands(database, clock))


@pytest.fixture
def fleet(database: Database, clock: Any) -> Fleet:
    return Fleet(database, clock)


def info(now: datetime, **changes: Any) -> Info:
    values = {
        "software": "1.4.0",
        "board": "sim",
        "certificate_sha256": "ab" * 32,
        "certificate_not_after": now + timedelta(days=80),
    }
    return Info.model_validate(values | changes)


def line(services: FleetServices, unit: str = "unit-1") -> UnitLine:
    return next(each for each in services.units(IT, UnitQuery()).units if each.id == unit)


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({}, ()),
        ({"state": "in_session"}, ()),
        ({"state": "lost", "schedule_current": False, "config": "waiting"}, ("lost",)),
        ({"state": "degraded", "schedule_current": False}, ("degraded", "schedule_behind")),
        ({"state": "unknown", "heard_at": None}, ("never_heard",)),
        ({"revoked": True, "config": "rejected", "in_room": False}, ("revoked",)),
        ({"heard_at": NOW - timedelta(minutes=4)}, ("silent",)),
        ({"state": "lost", "heard_at": NOW - timedelta(minutes=4)}, ("lost",)),
        ({"state": "stopping"}, ("stopped",)),
        ({"state": "stopping", "since": NOW - timedelta(minutes=1)}, ()),
        ({"certificate_until": NOW + timedelta(days=20)}, ("certificate_soon",)),
        ({"certificate_until": NOW}, ("expired",)),
        ({"config": "waiting"}, ("config_behind",)),
        ({"config": "waiting", "config_changed_at": NOW - timedelta(seconds=30)}, ()),
        ({"config": "deferred"}, ()),
        ({"config": "trial"}, ()),
        ({"config": "rolled_back"}, ("config_rolled_back",)),
        ({"schedule_outcome": "rejected", "schedule_current": False}, ("schedule_rejected",)),
        ({"figures": {"clock_offset_s": -6.0}}, ("clock_off",)),
        ({"figures": {}, "clock": {"offset_s": 31e6}}, ("clock_off",)),
        ({"figures": {"disk_free_mib": 499.0}}, ("disk_low",)),
        ({"figures": {"disk_free_mib": 900.0, "disk_total_mib": 30000.0}}, ("disk_low",)),
        ({"figures": {"temperature_c": 82.0, "under_voltage": True}}, ("hot", "under_voltage")),
        ({"in_room": False}, ("no_room",)),
    ],
)
def test_health_and_its_reasons_worst_first(changes: dict[str, Any], reasons: tuple[str, ...]) -> None:
    how, found = health(replace(WELL, **changes), NOW)
    assert found == reasons
    assert how == (HEALTH[reasons[0]] if reasons else "good")


def test_a_unit_is_listed_as_it_is(services: FleetServices, fleet: Fleet, clock: Any) -> None:
    assert (line(services).health, line(services).reasons) == ("unknown", ("never_heard",))
    fleet.info("unit-1", info(clock.now))
    fault = Fault(probe="camera", instruction="check_camera_cable")
    fleet.status("unit-1", Status(state="degraded", boot=1, faults=(fault,)))
    told = line(services)
    assert (told.health, told.software, told.room, told.clinic) == ("bad", "1.4.0", "East", CLINIC)
    assert told.heard_at == clock.now
    assert services.unit(IT, "unit-1").faults == ("check_camera_cable",)

    clock.pass_by(seconds=200)
    fleet.status("unit-1", Status(state="lost", boot=1))
    assert line(services).heard_at == clock.now - timedelta(seconds=200), "the broker spoke, not the unit"
    assert line(services).reasons[0] == "lost"


def test_a_revoked_unit_is_never_shown_ready(
    services: FleetServices, fleet: Fleet, database: Database, clock: Any
) -> None:
    with database.write() as db:
        db.add(Revocation(unit_id="unit-1", at=clock(), by="acc-it", reason="stolen"))
    assert fleet.status("unit-1", Status(state="ready", boot=1)) is False
    with database.read() as db:
        assert db.get_one(UnitReport, "unit-1").state == "revoked"
    assert (line(services).health, line(services).state) == ("revoked", "revoked")
    revoked = services.unit(IT, "unit-1").revoked
    assert revoked is not None
    assert revoked.fields == {"reason": "stolen"}


def test_the_list_is_searched_narrowed_counted_and_paged(
    services: FleetServices, fleet: Fleet, clock: Any
) -> None:
    fleet.info("unit-1", info(clock.now))
    fleet.status("unit-1", Status(state="lost", boot=1))
    services.make_group(IT, "pilot", "", 0)
    services.set_members(IT, "pilot", ["unit-2"], [])

    def found(**asked: Any) -> list[str]:
        return [each.id for each in services.units(IT, UnitQuery(**asked)).units]

    assert found() == ["unit-1", "unit-2"]
    assert found(text="EAST norra") == ["unit-1"]
    assert found(text="1.4.0") == found(software="1.4.0") == found(clinic=CLINIC) == ["unit-1"]
    assert found(group="pilot") == found(health="unknown") == ["unit-2"]
    assert found(limit=1, offset=1) == ["unit-2"]
    told = services.units(IT, UnitQuery(health="bad", limit=1))
    assert (told.total, told.counts["bad"], told.counts["unknown"]) == (1, 1, 1)
    assert (told.clinics, told.versions) == ((CLINIC,), ("1.4.0",))


def test_its_page_holds_what_it_shall_be_what_happened_and_who_did_it(
    services: FleetServices, fleet: Fleet, clock: Any, database: Database
) -> None:
    fleet.status("unit-1", Status(state="ready", boot=1))
    fleet.info("unit-1", info(clock.now, clock=UnitClock(source="ntp", synchronised=True)))
    clock.pass_by(seconds=1)
    services.set_config(IT, "unit-1", {"volume": 2})
    with database.write() as db:
        figures = {"uptime_s": 5.0, "disk_free_mib": 100.0}
        db.add(TelemetryRow(unit_id="unit-1", at=clock(), heard_at=clock(), figures=figures))
    page = services.unit(IT, "unit-1")
    assert (page.config["volume"], page.origins["volume"], page.origins["room_name"]) == (2, "unit", "room")
    assert [each.kind for each in page.history][:4] == ["config_wanted", "certificate", "version", "state"]
    assert [(each.by, each.action) for each in page.audit] == [("acc-it", "set_config")]
    assert page.line.reasons == ("disk_low",)
    assert len(page.certificates) == 1
    with pytest.raises(Refused):
        services.unit(IT, "unit-9")


def test_a_unit_is_busy_while_and_half_an_hour_before_a_session(
    services: FleetServices, bookings: Bookings, booker: Booker, clock: Any, wanted: Any
) -> None:
    bookings.book(booker, wanted(clock, hours=1, minutes=20))
    told = []
    for _ in range(4):
        told.append(line(services).busy)
        clock.pass_by(minutes=31)
    assert told == [False, True, True, False]


def test_a_unit_is_not_taken_from_a_session_unless_it_is_said(
    services: FleetServices, bookings: Bookings, booker: Booker, clock: Any, wanted: Any, database: Database
) -> None:
    sid = bookings.book(booker, wanted(clock, hours=0)).sid
    with database.write() as db:
        db.get_one(BookedSession, sid).state = "in_call"
    with pytest.raises(Refused, match="is on in East") as refused:
        services.assign(IT, "east", "unit-2")
    assert refused.value.field_name == "session"
    with pytest.raises(Refused):
        services.assign(IT, "west", "unit-1")
    services.assign(IT, "east", "unit-2", even_now=True)
    assert {room.id: room.unit for room in services.rooms(IT)} == {"east": "unit-2", "west": None}
    assert [each.kind for each in services.unit(IT, "unit-1").history][:2] == ["config_wanted", "room_out"]
    (entry,) = services.audit(IT, target="east", limit=1)
    assert (entry.action, entry.fields) == ("assign", {"unit": "unit-2", "was": "unit-1", "from": ""})


@pytest.mark.parametrize("role", ["clinician", "staff"])
def test_nobody_but_it_may(services: FleetServices, role: Any) -> None:
    someone = replace(IT, role=role)
    for ask in (
        lambda: services.units(someone, UnitQuery()),
        lambda: services.unit(someone, "unit-1"),
        lambda: services.assign(someone, "east", None),
        lambda: services.set_config(someone, "unit-1", {"volume": 1}),
        lambda: services.set_group_config(someone, "all", {}),
        lambda: services.audit(someone),
    ):
        with pytest.raises(NotAllowed):
            ask()


def test_many_units_are_listed_in_few_queries(
    database: Database, clock: Any, configurations: Configurations
) -> None:
    with database.write() as db:
        for n in range(200):
            db.add(Unit(id=f"bulk-{n}", added_at=clock()))
        db.flush()
        for n in range(200):
            db.add(UnitReport(unit_id=f"bulk-{n}", state="ready", heard_at=clock()))
    configurations.make_group("all", "", 0, "acc-it")
    configurations.set_members("all", [f"bulk-{n}" for n in range(200)], [], "acc-it")
    statements: list[str] = []

    def note(*arguments: Any) -> None:
        statements.append(arguments[2])

    with database.read() as db:
        event.listen(db.get_bind(), "before_cursor_execute", note)
        lines = unit_lines(db, clock())
        event.remove(db.get_bind(), "before_cursor_execute", note)
    assert (len(lines), len(statements) <= 8) == (202, True)


@pytest.fixture
def configurations(database: Database, clock: Any) -> Configurations:
    return Configurations(database, clock)


def test_pages_that_ask_every_few_seconds_share_one_reading(services, clock, monkeypatch):
    reads = []
    monkeypatch.setattr(fleet_services, "unit_lines", lambda db, now: reads.append(now) or [])
    for age in (2.0, 2.0, 0.0, 2.0):
        services.units(IT, UnitQuery(max_age_s=age))
    assert len(reads) == 2
    clock.pass_by(seconds=3)
    services.units(IT, UnitQuery(max_age_s=2.0))
    assert len(reads) == 3
