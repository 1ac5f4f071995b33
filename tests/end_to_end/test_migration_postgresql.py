"""Release 0.3.0's database in PostgreSQL comes up whole too; two instances that begin together do it once."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import JSON, Boolean, DateTime, MetaData, create_engine, text

from provisioning import audit, log_verification
from provisioning.database import SCHEMA_VERSION, Database
from provisioning.lease import Lease
from provisioning.models import Base, Unit, UnitReport
from tests.system.postgresql import PostgreSql, postgresql

pytestmark = pytest.mark.end_to_end

OLD = Path(__file__).parents[1] / "provisioning" / "release_0_3_0"


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSql]:
    with postgresql() as running:
        yield running


@pytest.fixture
def url(server: PostgreSql) -> str:
    """As release 0.3.0 left it."""
    url = server.new_database("release_0_3_0")
    engine = create_engine(url)
    with closing(sqlite3.connect(":memory:")) as old, engine.begin() as new:
        old.executescript((OLD / "sqlite.sql").read_text())
        new.execute(text((OLD / "postgresql.sql").read_text()))
        tables = MetaData()
        tables.reflect(new)
        for table in tables.sorted_tables:
            old.row_factory = sqlite3.Row
            for row in old.execute(f'SELECT * FROM "{table.name}"').fetchall():
                values = dict(row)
                for column in table.columns:
                    value = values[column.name]
                    if value is not None and isinstance(column.type, JSON):
                        values[column.name] = json.loads(value)
                    elif value is not None and isinstance(column.type, DateTime):
                        values[column.name] = datetime.fromisoformat(value).replace(tzinfo=UTC)
                    elif isinstance(column.type, Boolean):
                        values[column.name] = bool(value)
                new.execute(table.insert().values(**values))
        for name in ("clinics", "outbox", "room_units", "unit_keys"):
            new.execute(text(f"SELECT setval('{name}_id_seq', 100)"))
    engine.dispose()
    return url


def test_it_comes_up_whole_and_once(url: str) -> None:
    databases = [Database(url) for _ in range(4)]
    faults: list[Exception] = []

    def create(database: Database) -> None:
        try:
            database.create(upgrade=True)
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=create, args=(each,)) for each in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    database = databases[0]
    with database.read() as db:
        unit, report = db.get_one(Unit, "unit-1"), db.get_one(UnitReport, "unit-1")
        assert unit.config_own == {"phone": "0771-11 22 33", "languages": ["sv", "fi"]}
        assert (unit.config_rev, report.state, report.info["software"]) == (3, "ready", "0.3.0")
        assert log_verification.verify(db).ok
        assert audit.verify(db) == (0, "")
        context = MigrationContext.configure(db.connection())
        assert context.get_current_revision() == SCHEMA_VERSION
        differences = compare_metadata(context, Base.metadata)
    assert [each for each in differences if "alembic_version" not in str(each)] == []
    for each in databases:
        each.close()


def test_the_instance_that_leads_brings_it_up_under_its_fence(url: str) -> None:
    lease = Lease(url, "region-1")
    assert lease.take()
    database = Database(url, lease.fence)
    database.create(upgrade=True)
    assert database.fact("schema_version") == SCHEMA_VERSION
    database.close()
