"""What a unit shall be, from its groups, its room and itself; and what it says of it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event, select, update

from agent.contract.unit_config import ConfigReport
from provisioning import audit
from provisioning.commands import Commands
from provisioning.config_merge import Layer, merge, without_secrets
from provisioning.config_standing import standing
from provisioning.configurations import Configurations, Layers, refresh
from provisioning.database import Database
from provisioning.fleet import Fleet
from provisioning.fleet_models import CommandRow, ConfigRevision
from provisioning.models import Unit
from provisioning.rooms import Rooms
from provisioning.schedules import Schedules
from provisioning.unit_history import Forgetting, of_unit, remember
from tests.provisioning.conftest import ZONE
from web.clinic.services import Refused

DIGEST = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$ZGlnZXN0ZGlnZXN0"
IT = "acc-it"


@pytest.fixture
def configurations(database: Database, clock: Any) -> Configurations:
    return Configurations(database, clock)


@pytest.fixture
def schedules(database: Database, wire: Any, clock: Any) -> Schedules:
    made = Schedules(database, wire.publish, clock, ZONE)
    made.work_off_outbox()
    wire.sent.clear()
    return made


@pytest.fixture
def fleet(database: Database, clock: Any) -> Fleet:
    return Fleet(database, clock)


def kept(database: Database, unit: str = "unit-1") -> Unit:
    with database.read() as db:
        return db.get_one(Unit, unit)


def origins(database: Database, unit: str = "unit-1") -> dict[str, str]:
    with database.read() as db:
        return Layers.load(db, [unit]).of(db.get_one(Unit, unit))[1]


def test_later_layers_hold_and_fields_are_taken_whole() -> None:
    layers = (
        Layer("group:a", {"network": {"method": "static", "address": "192.0.2.1/24"}, "volume": 2}),
        Layer("unit", {"network": {"method": "dhcp"}}),
    )
    assert merge(layers) == (
        {"network": {"method": "dhcp"}, "volume": 2},
        {"network": "unit", "volume": "group:a"},
    )


def test_digests_are_shown_nowhere() -> None:
    staff = [{"id": "s1", "label": "AB", "pin_digest": DIGEST}]
    shown = without_secrets({"staff_pin_digest": DIGEST, "staff": staff, "volume": 3})
    assert DIGEST not in str(shown)
    assert (shown["staff"], shown["volume"]) == ([{"id": "s1", "label": "AB"}], 3)


def test_groups_by_rank_then_the_room_then_the_units_own(
    configurations: Configurations, database: Database, schedules: Schedules, wire: Any
) -> None:
    for name, rank, volume in (("low", 1, 1), ("high", 2, 2)):
        configurations.make_group(name, "", rank, IT)
        configurations.set_members(name, ["unit-1"], [], IT)
        configurations.set_group(name, {"volume": volume, "room_name": name, "dscp": volume}, IT)
    configurations.set_unit("unit-1", {"dscp": 46}, IT)
    config = kept(database).config
    assert (config["volume"], config["room_name"], config["dscp"]) == (2, "East", 46)
    assert origins(database)["volume"] == "group:high"
    assert (origins(database)["room_name"], origins(database)["dscp"]) == ("room", "unit")

    schedules.work_off_outbox()
    (sent,) = wire.take("dn/config")
    assert (sent.data.epoch, sent.rev, sent.data.volume) == (1, kept(database).config_rev, 2)
    configurations.set_unit("unit-1", {"dscp": None}, IT)
    configurations.drop_group("high", IT)
    assert (kept(database).config["dscp"], kept(database).config["volume"]) == (1, 1)


def test_a_groups_wish_that_one_unit_cannot_have_changes_none_of_them(
    configurations: Configurations, database: Database
) -> None:
    configurations.make_group("all", "", 0, IT)
    configurations.set_members("all", ["unit-1", "unit-2"], [], IT)
    configurations.set_unit("unit-2", {"broker": {"host": "mqtt.example", "port": 443}}, IT)
    before = [kept(database, unit).config_rev for unit in ("unit-1", "unit-2")]
    with pytest.raises(Refused) as refused:
        configurations.set_group("all", {"volume": 3, "media_ports": "50099-50000"}, IT)
    assert refused.value.field_name == "media_ports"
    assert [kept(database, unit).config_rev for unit in ("unit-1", "unit-2")] == before
    assert configurations.groups()[0].config == {}


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"volume": 9}, "volume"),
        ({"volum": 3}, "volum"),
        ({"epoch": 9}, "epoch"),
        ({"devices": {"camra": "/dev/video0"}}, "devices.camra"),
        ({"languages": []}, "languages"),
        ({"network": {"method": "static"}}, "network.address"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field_and_nothing_is_kept(
    configurations: Configurations, database: Database, values: dict[str, Any], field: str
) -> None:
    before = kept(database).config_rev
    with pytest.raises(Refused) as refused:
        configurations.set_unit("unit-1", {"phone": "08-1", **values}, IT)
    assert refused.value.field_name == field
    assert (kept(database).config_rev, "phone" in kept(database).config_own) == (before, False)


def test_each_revision_is_kept_with_who_made_it_and_without_digests(
    configurations: Configurations, database: Database
) -> None:
    rev = configurations.set_unit("unit-1", {"staff_pin_digest": DIGEST}, IT)
    assert configurations.set_unit("unit-1", {"staff_pin_digest": DIGEST}, IT) == rev, (
        "nothing new, no revision"
    )
    with database.read() as db:
        row = db.scalars(select(ConfigRevision).where(ConfigRevision.rev == rev)).one()
        entry = list(audit.entries(db))[-1]
        assert audit.verify(db)[1] == ""
    assert (row.by, DIGEST in str(row.config)) == (IT, False)
    assert (entry.by, entry.action, entry.target) == (IT, "set_config", "unit-1")
    assert entry.fields == {"set": ["staff_pin_digest"], "given_back": [], "rev": rev}


def test_what_was_set_about_the_room_follows_to_the_unit_that_takes_the_place(
    configurations: Configurations, rooms: Rooms, database: Database
) -> None:
    configurations.set_unit("unit-1", {"phone": "08-123", "languages": ["fi"], "dscp": 46}, IT)
    rooms.assign("east", "unit-2", by=IT)
    old, new = kept(database).config, kept(database, "unit-2").config
    assert (old["staff"], old["rooms"], old.get("room_name"), old.get("phone")) == ([], [], None, None)
    assert old["dscp"] == 46, "that is the box's own"
    assert (new["room_name"], new["phone"], new["languages"], new.get("dscp")) == (
        "East",
        "08-123",
        ["fi"],
        None,
    )


def test_history_is_forgotten_after_half_a_year_and_the_audit_log_is_not(
    configurations: Configurations, database: Database, clock: Any
) -> None:
    forgetting = Forgetting(database, clock)
    configurations.set_unit("unit-1", {"volume": 1}, IT)
    clock.pass_by(days=179)
    configurations.set_unit("unit-1", {"volume": 2}, IT)
    clock.pass_by(days=2)
    forgetting.tick()
    with database.read() as db:
        assert [line.kind for line in of_unit(db, "unit-1")] == ["config_wanted"]
        assert len(db.scalars(select(ConfigRevision)).all()) == 1
        assert [entry.action for entry in audit.entries(db)][-2:] == ["set_config", "set_config"]


@pytest.mark.parametrize(
    ("theirs", "state", "wanted", "is_"),
    [
        ((1, 5), "applied", 0, "current"),
        ((1, 4), "applied", 0, "waiting"),
        ((1, 4), "deferred", 5, "deferred"),
        ((1, 4), "rejected", 4, "waiting"),
        ((1, 4), "rejected", 0, "rejected"),
        ((1, 4), "rolled_back", 5, "rolled_back"),
        ((1, 5), "trial", 5, "trial"),
        ((1, 4), "trial", 5, "trial"),
    ],
)
def test_standing(theirs: tuple[int, int], state: str, wanted: int, is_: str) -> None:
    assert standing((1, 5), theirs, state, wanted) == is_


def test_a_unit_with_an_older_one_is_sent_ours_again_but_not_for_every_report(
    fleet: Fleet, schedules: Schedules, wire: Any, clock: Any
) -> None:
    for _ in range(3):
        fleet.config("unit-1", 0, ConfigReport(applied=True))
        schedules.work_off_outbox()
    assert len(wire.take("dn/config")) == 1
    clock.pass_by(seconds=6)
    refusal = ConfigReport(applied=False, errors=("phone: no",), state="rejected", wanted_rev=1)
    fleet.config("unit-1", 0, refusal)
    schedules.work_off_outbox()
    assert wire.take("dn/config") == [], "what it refuses it would refuse again"


def test_a_unit_that_has_a_later_one_than_we_is_overruled_by_a_new_epoch(
    fleet: Fleet, schedules: Schedules, database: Database, wire: Any
) -> None:
    fleet.config("unit-1", 900, ConfigReport(applied=True, epoch=3))
    schedules.work_off_outbox()
    (sent,) = wire.take("dn/config")
    assert (sent.data.epoch, sent.rev) == (4, kept(database).config_rev)
    fleet.config("unit-1", sent.rev, ConfigReport(applied=True, epoch=4))
    assert schedules.work_off_outbox() == []


def test_many_units_are_brought_in_line_in_few_queries(
    configurations: Configurations, database: Database, clock: Any
) -> None:
    with database.write() as db:
        db.add_all(Unit(id=f"bulk-{n}", added_at=clock()) for n in range(300))
    statements: list[str] = []

    def note(*arguments: Any) -> None:
        statements.append(arguments[2])

    with database.write() as db:
        event.listen(db.get_bind(), "before_cursor_execute", note)
        refresh(db, clock(), IT, own={"volume": 2})
        db.flush()
        event.remove(db.get_bind(), "before_cursor_execute", note)
    assert len(statements) < 25
    assert kept(database, "bulk-299").config["volume"] == 2


def test_what_another_process_has_set_meanwhile_is_not_lost(database: Database, clock: Any) -> None:
    with database.write() as db:
        kept_in_session = db.get_one(Unit, "unit-1")  # as whoever asks first whether the unit is known
        before = kept_in_session.config_rev
        meanwhile = update(Unit).where(Unit.id == "unit-1").execution_options(synchronize_session=False)
        db.execute(meanwhile.values(config_own={"volume": 3}, config_rev=before + 1))
        refresh(db, clock(), IT, ["unit-1"], own={"dscp": 46})
    unit = kept(database)
    assert unit.config_own == {"volume": 3, "dscp": 46}
    assert unit.config_rev == before + 2


def test_a_unit_that_says_too_much_keeps_its_newest_lines(
    database: Database, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("provisioning.unit_history.MOST_KEPT", 3)
    with database.write() as db:
        for boot in range(5):
            remember(db, "unit-1", clock(), "started", boot=boot)
        remember(db, "unit-2", clock(), "started", boot=1)
    Forgetting(database, clock).tick()
    with database.read() as db:
        assert [line.fields["boot"] for line in of_unit(db, "unit-1")] == [4, 3, 2]
        assert [line.kind for line in of_unit(db, "unit-2")] == ["started", "added"]


def test_commands_that_are_over_are_forgotten_with_what_they_said(database: Database, clock: Any) -> None:
    commands = Commands(database, clock)
    over, waiting = (
        commands.send("unit-1", "show-message", {"text": text, "minutes": "5"}, by=IT) for text in "ab"
    )
    with database.write() as db:
        row = db.get_one(CommandRow, over)
        row.state, row.cleared = "succeeded", True
    clock.pass_by(days=181)
    Forgetting(database, clock).tick()
    assert [line.id for line in commands.lines()] == [waiting]
