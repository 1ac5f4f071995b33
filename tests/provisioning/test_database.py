"""The database of another release is refused, and left as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import inspect

from provisioning.database import Database, WrongSchema
from provisioning.models import Fact
from provisioning.server import main


def test_the_service_says_so_in_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(f"sqlite:///{tmp_path / 'region.db'}")
    database.create()
    with database.write() as db:
        db.get_one(Fact, "schema_version").value = "1"
    database.close()
    for name, value in {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'region.db'}",
        "STATE_DIR": str(tmp_path),
        **{f"BROKER__{name}": str(tmp_path) for name in ("CA_FILE", "CERTIFICATE_FILE", "KEY_FILE")},
    }.items():
        monkeypatch.setenv(f"HALSORUM_{name}", value)
    monkeypatch.setattr("provisioning.server._refuse_taken_port", lambda *_: None)
    (tmp_path / "region.toml").write_text("")
    monkeypatch.setattr("provisioning.server.RegionServer.run", lambda _: None)
    with pytest.raises(SystemExit, match="made by another release"):
        main(["--settings", str(tmp_path / "region.toml")])


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
