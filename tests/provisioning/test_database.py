"""The database of another release is refused, and left as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import inspect

from provisioning.database import Database, WrongSchema
from provisioning.models import Fact


def test_another_releases_database_is_refused_before_anything_is_made_in_it(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'region.db'}")
    Fact.metadata.create_all(database._engine, tables=[Fact.__table__])  # type: ignore[list-item]
    with database.write() as db:
        db.add(Fact(name="schema_version", value="1"))
    with pytest.raises(WrongSchema):
        database.create()
    assert inspect(database._engine).get_table_names() == [Fact.__tablename__]
    with database.read() as db:
        assert db.query(Fact).count() == 1
    database.close()
