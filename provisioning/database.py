"""The region's database by URL: SQLite as delivered, PostgreSQL where a region wants it."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import Session

from provisioning import fleet_models, meeting_models, people_models  # noqa: F401 - their tables are made with the others
from provisioning.models import Base, Fact

SCHEMA_VERSION = "3"
BUSY_TIMEOUT_S = 10


class WrongSchema(RuntimeError):
    """The database was made by another release."""


class Database:
    """Transactions for reading and for writing. Every method may be called on any thread."""

    def __init__(self, url: str) -> None:
        self._engine = _make_engine(url)
        self._of_thread = threading.local()
        self._writing_engine = self._engine.execution_options(writes=True)

    def create(self) -> None:
        """Make what is missing, with the region's own secret; raises WrongSchema."""
        if inspect(self._engine).has_table(Fact.__tablename__):
            self._refuse_other_schema()  # before anything of ours is in it
        with self._writing_engine.begin() as connection:
            Base.metadata.create_all(connection)
        with self.write() as db:
            for name, value in (
                ("schema_version", SCHEMA_VERSION),
                ("secret", secrets.token_hex(32)),
                ("log_head", "0:"),
                ("access_head", "0:"),
                ("audit_head", "0:"),
            ):
                if db.get(Fact, name) is None:
                    db.add(Fact(name=name, value=value))
        self._refuse_other_schema()

    def fact(self, name: str) -> str:
        """A value of the region itself."""
        with self.read() as db:
            return db.get_one(Fact, name).value

    def _refuse_other_schema(self) -> None:
        with self.read() as db:
            kept = db.get(Fact, "schema_version")
        if kept is not None and kept.value != SCHEMA_VERSION:
            raise WrongSchema(
                "The database was made by another release. Use that release, or restore a copy."
            )

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A view of one moment; nothing that is changed in it is kept."""
        if (whole := self._whole) is not None:
            yield whole
            return
        with Session(self._engine, expire_on_commit=False) as db:
            yield db

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One transaction: kept whole at the end, or not at all. One at a time where the database is SQLite;
        elsewhere rows that decide are read `with_for_update`."""
        if (whole := self._whole) is not None:
            yield whole
            return
        with Session(self._writing_engine, expire_on_commit=False) as db, db.begin():
            yield db

    @contextmanager
    def together(self) -> Iterator[Session]:
        """Make one transaction of all that this thread reads and writes meanwhile: much dearer than a change is
        to bring it to disk. Kept whole, or after an error not at all; whoever fails inside must not catch it.

        Nobody else can write to SQLite meanwhile: wait for no other thread, and tell nobody before the end.
        """
        kind = _OnlyWriter if self._engine.dialect.name == "sqlite" else Session
        with kind(self._writing_engine, expire_on_commit=False) as db, db.begin():
            self._of_thread.whole = db
            try:
                yield db
            finally:
                self._of_thread.whole = None

    @property
    def _whole(self) -> Session | None:
        return getattr(self._of_thread, "whole", None)

    def close(self) -> None:
        """Give back the connections."""
        self._engine.dispose()


class _OnlyWriter(Session):
    """Holds SQLite's one lock for writing: a row that it has read cannot have changed, and is not read again."""

    def get(self, entity: Any, ident: Any, **named: Any) -> Any:  # noqa: ANN401 - as Session.get
        """As Session.get."""
        named.pop("with_for_update", None)
        return super().get(entity, ident, **named)


def _make_engine(url: str) -> Engine:
    engine = create_engine(url, hide_parameters=True, **_connect_options(url))
    if engine.dialect.name == "sqlite":
        _make_private(engine.url.database or "")
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _make_private(file: str) -> None:
    """SQLite would make the file readable by everyone; the log beside it gets the same mode."""
    if file and not file.startswith((":memory:", "file:")):
        with suppress(OSError):  # SQLite says better what is wrong with the place
            Path(file).touch(mode=0o600)


def _connect_options(url: str) -> dict[str, Any]:
    if not url.startswith("sqlite"):
        return {"pool_pre_ping": True}
    return {"connect_args": {"timeout": BUSY_TIMEOUT_S, "check_same_thread": False}}


def _set_up_sqlite(connection: DBAPIConnection, _record: object) -> None:
    # The driver's own transactions begin too late to be trusted; _begin_sqlite begins them.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    # A transaction that first reads and then writes must hold the lock from the start, or fail half-way.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
