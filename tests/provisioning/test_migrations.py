"""A database of release 0.3.0, with what was in it, comes up whole."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect, select
from sqlalchemy.exc import IntegrityError
from typer.testing import CliRunner

from provisioning import audit, cli, log_verification, migrations, unit_faults
from provisioning.configurations import refresh
from provisioning.database import SCHEMA_VERSION, Database, WrongSchema
from provisioning.migrations import OLDEST
from provisioning.models import Base, BookedSession, Fact, Room, Unit, UnitReport
from provisioning.readiness_models import UnitFault

OLD = Path(__file__).parent / "release_0_3_0"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """As release 0.3.0 left it: units, rooms, an account, staff, a booking, a log, a configuration."""
    file = tmp_path / "region.db"
    with closing(sqlite3.connect(file)) as db:
        db.executescript((OLD / "sqlite.sql").read_text())
    return file


def rows(file: Path) -> dict[str, set[tuple[Any, ...]]]:
    """All of a database; of tables that got columns, those that release 0.3.0 knew."""
    known = {"units": 7, "unit_reports": 12}
    with closing(sqlite3.connect(file)) as db:
        names = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            name: {row[: known.get(name)] for row in db.execute(f'SELECT * FROM "{name}"')} for name in names
        }


def check_whole(database: Database, clock: Any) -> None:
    """What was there means the same, and works on."""
    with database.read() as db:
        unit, report = db.get_one(Unit, "unit-1"), db.get_one(UnitReport, "unit-1")
        assert unit.config_own == {"phone": "0771-11 22 33", "languages": ["sv", "fi"]}
        assert unit.config["room_name"] == "East"
        assert [staff["label"] for staff in unit.config["staff"]] == ["ÅK"]
        assert (unit.config_rev, unit.config_epoch, unit.serial) == (3, 1, None)
        assert (report.state, report.boot, report.info["software"]) == ("ready", 4, "0.3.0")
        assert report.heard_at is None
        assert db.get_one(Unit, "unit-2").config_own == {}
        assert db.get_one(Room, "east").unit_id == "unit-1"
        assert db.scalars(select(BookedSession.ref)).one()
        verdict = log_verification.verify(db)
        assert (verdict.ok, verdict.entries) == (True, 2)
        assert audit.verify(db) == (0, "")
        assert db.get_one(Fact, "schema_version").value == SCHEMA_VERSION
    with database.write() as db:
        revision = refresh(db, clock.now, "cli:test", ["unit-1"])
        assert revision == {"unit-1": 3}  # the parts make the whole that was there: no unit hears of it
        audit.note(db, clock.now, by="cli:test", action="upgraded", target="database")
    with database.read() as db:
        assert audit.verify(db) == (1, "")


def test_nothing_is_lost_and_a_copy_stays_as_it_was(old: Path, clock: Any) -> None:
    before = rows(old)
    database = Database(f"sqlite:///{old}")
    copy = database.create(upgrade=True)
    after = rows(old)
    for name, kept in before.items():
        if name != "facts":
            assert after[name] == kept, name
    changed = {row[0] for row in after["facts"] - before["facts"]}
    assert changed == {"schema_version", "audit_head"}
    assert copy is not None
    assert (rows(copy), copy.stat().st_mode & 0o777) == (before, 0o600)
    check_whole(database, clock)
    assert database.create(upgrade=True) is None
    database.close()


def test_a_copy_that_was_cut_off_is_not_taken_for_one(old: Path) -> None:
    before = rows(old)
    old.with_name("region.db.schema-2.new").write_bytes(b"SQLite format 3\0 and no more")
    database = Database(f"sqlite:///{old}")
    copy = database.create(upgrade=True)
    database.close()
    assert copy is not None
    assert rows(copy) == before
    assert not old.with_name("region.db.schema-2.new").exists()


def test_what_the_migrations_make_is_what_the_models_say(old: Path) -> None:
    """If this fails the models have changed: add a migration, or while its release is not out, write it anew with
    `python -m provisioning.migrations.draft`."""
    database = Database(f"sqlite:///{old}")
    database.create(upgrade=True)
    database.close()
    engine = create_engine(f"sqlite:///{old}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert context.get_current_revision() == SCHEMA_VERSION
        differences = compare_metadata(context, Base.metadata)
    assert [each for each in differences if "alembic_version" not in str(each)] == []


def test_release_0_4_0_gets_three_tables_and_one_open_fault_of_a_kind(old: Path, clock: Any) -> None:
    engine = create_engine(f"sqlite:///{old}")
    with engine.begin() as connection:
        config = migrations._config(connection)
        command.stamp(config, OLDEST)
        command.upgrade(config, "3")
    engine.dispose()
    before = rows(old)
    database = Database(f"sqlite:///{old}")
    copy = database.create(upgrade=True)
    assert copy is not None
    assert copy.name == "region.db.schema-3"
    after = rows(old)
    assert after.keys() - before.keys() == {"unit_faults", "notice_recipients", "notices"}
    for name in before.keys() - {"facts", "alembic_version"}:
        assert after[name] == before[name], name
    with database.write() as db:
        unit_faults.lost(db, "unit-1", clock.now)
    with pytest.raises(IntegrityError), database.write() as db:
        row = UnitFault(unit_id="unit-1", probe="presence", instruction="lost", level="fail", since=clock.now)
        db.add(row)
    with database.write() as db:
        unit_faults.close_all(db, "unit-1", clock.now)
        unit_faults.lost(db, "unit-1", clock.now)
    database.close()


def test_one_that_fails_half_way_leaves_the_database_as_it_was(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rows(old)
    database = Database(f"sqlite:///{old}")

    def fails(*_: object) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as patched:
        patched.setattr("alembic.operations.Operations.bulk_insert", fails)
        with pytest.raises(RuntimeError, match="power cut"):
            database.create(upgrade=True)
    assert rows(old) == before
    database.create(upgrade=True)
    assert database.fact("schema_version") == SCHEMA_VERSION
    database.close()


def test_the_command_line_asks_before_it_does_so(old: Path) -> None:
    database = Database(f"sqlite:///{old}")
    with pytest.raises(WrongSchema, match="halsorum database upgrade"):
        database.create()
    database.close()
    run = CliRunner().invoke
    url = ["--database", f"sqlite:///{old}"]
    assert run(cli.app, [*url, "room", "list"]).exit_code == 1
    done = run(cli.app, ["--json", *url, "database", "upgrade"])
    assert done.exit_code == 0, done.output
    assert f'"from": "{OLDEST}"' in done.stdout
    assert run(cli.app, [*url, "room", "list"]).exit_code == 0


def test_a_new_database_is_marked_as_the_newest(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'new.db'}")
    database.create()
    with database.read() as db:
        assert MigrationContext.configure(db.connection()).get_current_revision() == SCHEMA_VERSION
        assert inspect(db.connection()).has_table("units")
    database.close()
