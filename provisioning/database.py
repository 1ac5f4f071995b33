"""The region's database by URL: SQLite as delivered, PostgreSQL where a region wants it."""

from __future__ import annotations

import logging
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, insert, inspect, select, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import Session

from provisioning import (
    fleet_models,  # noqa: F401 - their tables are made with the others
    meeting_models,  # noqa: F401
    migrations,
    people_models,  # noqa: F401
    readiness_models,  # noqa: F401
)
from provisioning.database_url import connect_options, driver_url, is_postgresql
from provisioning.lease import FENCE_HOLDS, Deposed
from provisioning.models import Base, Fact

log = logging.getLogger(__name__)

SCHEMA_VERSION = "4"
EARLIER = (migrations.OLDEST, "3")
"""Schemas that provisioning.migrations knows the way from."""
SCHEMA_LOCK = 0x48525F53  # "HR_S"


class WrongSchema(RuntimeError):
    """The database was made by another release; the text says what to do."""


class Database:
    """Transactions for reading and for writing. Every method may be called on any thread."""

    def __init__(self, url: str, fence: int | None = None) -> None:
        """fence: the number under which this process leads (provisioning.lease); None for one that does not need
        to, such as the command line."""
        self._fence = fence
        self._engine = _make_engine(url, by_hand=fence is None)
        self._of_thread = threading.local()
        self._writing_engine = self._engine.execution_options(writes=True)

    def create(self, *, upgrade: bool = False) -> Path | None:
        """Make what is missing, with the region's own secret; raises WrongSchema.

        upgrade: bring an earlier release's database up to this one, after making a copy of an SQLite file beside
        it, whose path is returned. Without, such a database is refused.
        """
        kept = self.version()
        copy = None
        if kept is not None and kept != SCHEMA_VERSION:
            if not upgrade or kept not in EARLIER:
                raise WrongSchema(_what_to_do(kept))
            copy = self._copy(kept)
            with self._alone() as connection:
                if self.version(connection) == kept:  # no other process has done it meanwhile
                    log.info("the database is brought from schema %s to %s", kept, SCHEMA_VERSION)
                    migrations.upgrade(connection, kept)
        with self._alone() as connection:
            Base.metadata.create_all(connection)
            if kept is None:
                migrations.mark_newest(connection)
            present = set(connection.scalars(select(Fact.name)))
            first = {
                "schema_version": SCHEMA_VERSION,
                "secret": secrets.token_hex(32),
                "log_head": "0:",
                "access_head": "0:",
                "audit_head": "0:",
            }
            missing = [{"name": name, "value": first[name]} for name in first if name not in present]
            if missing:
                connection.execute(insert(Fact), missing)
        return copy

    @contextmanager
    def _alone(self) -> Iterator[Connection]:
        """A writing transaction in which no other process makes or changes tables."""
        with self._writing_engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": SCHEMA_LOCK})
                # The tables that many rows go into may take longer than any other work is given.
                connection.execute(text("SET LOCAL statement_timeout = 0"))
            self._check_fence(connection)
            yield connection

    def version(self, connection: Connection | None = None) -> str | None:
        """The schema that it has; None: it is empty."""
        if connection is None:
            with self._engine.connect() as own:
                return self.version(own)
        if not inspect(connection).has_table(Fact.__tablename__):
            return None
        return connection.scalar(select(Fact.value).where(Fact.name == "schema_version"))

    def _copy(self, version: str) -> Path | None:
        """Of an SQLite file, whole and of one moment; one that an attempt before has made stays."""
        file = self._engine.url.database
        if self._engine.dialect.name != "sqlite" or not file or file.startswith((":memory:", "file:")):
            return None
        copy = Path(f"{file}.schema-{version}")
        if not copy.exists():
            # Under its name only when it is whole: a copy that was cut off would be taken for one.
            beside = copy.with_name(f"{copy.name}.new")
            beside.unlink(missing_ok=True)
            beside.touch(mode=0o600)
            with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(beside)) as target:
                source.backup(target)
            beside.rename(copy)
        log.info("a copy of the database as it was: %s", copy)
        return copy

    def fact(self, name: str) -> str:
        """A value of the region itself."""
        with self.read() as db:
            return db.get_one(Fact, name).value

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
        elsewhere rows that decide are read `with_for_update`. Raises Deposed where another instance leads now."""
        if (whole := self._whole) is not None:
            yield whole
            return
        with Session(self._writing_engine, expire_on_commit=False) as db, db.begin():
            self._check_fence(db)
            yield db

    @contextmanager
    def together(self) -> Iterator[Session]:
        """Make one transaction of all that this thread reads and writes meanwhile: much dearer than a change is
        to bring it to disk. Kept whole, or after an error not at all; whoever fails inside must not catch it.

        Nobody else can write to SQLite meanwhile: wait for no other thread, and tell nobody before the end.
        """
        kind = _OnlyWriter if self._engine.dialect.name == "sqlite" else Session
        with kind(self._writing_engine, expire_on_commit=False) as db, db.begin():
            self._check_fence(db)
            self._of_thread.whole = db
            try:
                yield db
            finally:
                self._of_thread.whole = None

    @property
    def _whole(self) -> Session | None:
        return getattr(self._of_thread, "whole", None)

    def _check_fence(self, db: Session | Connection) -> None:
        if self._fence is not None and db.scalar(FENCE_HOLDS, {"fence": self._fence}) is None:
            raise Deposed("another instance of the region leads now")

    def close(self) -> None:
        """Give back the connections."""
        self._engine.dispose()


class _OnlyWriter(Session):
    """Holds SQLite's one lock for writing: a row that it has read cannot have changed, and is not read again."""

    def get(self, entity: Any, ident: Any, **named: Any) -> Any:  # noqa: ANN401 - as Session.get
        """As Session.get."""
        named.pop("with_for_update", None)
        return super().get(entity, ident, **named)


def _make_engine(url: str, *, by_hand: bool) -> Engine:
    pool: dict[str, Any] = {"pool_pre_ping": True, "pool_size": 10} if is_postgresql(url) else {}
    engine = create_engine(
        driver_url(url), hide_parameters=True, connect_args=connect_options(url, by_hand=by_hand), **pool
    )
    if engine.dialect.name == "sqlite":
        _make_private(engine.url.database or "")
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _what_to_do(kept: str) -> str:
    if kept in EARLIER:
        return (
            "The database is of an earlier release. Bring it up with `halsorum database upgrade`; the region's "
            "service does so itself when it starts."
        )
    return "The database was made by another release. Use that release, or restore a copy."


def _make_private(file: str) -> None:
    """SQLite would make the file readable by everyone; the log beside it gets the same mode."""
    if file and not file.startswith((":memory:", "file:")):
        with suppress(OSError):  # SQLite says better what is wrong with the place
            Path(file).touch(mode=0o600)


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
