"""What the unit keeps on disk: one SQLite file, written through at once and overwritten when deleted."""

from __future__ import annotations

import hashlib
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

log = logging.getLogger(__name__)

_TABLES = """
CREATE TABLE IF NOT EXISTS kept (key TEXT PRIMARY KEY, value BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS session (sid TEXT PRIMARY KEY, value BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS outbox (
    epoch INTEGER NOT NULL, seq INTEGER NOT NULL, value BLOB NOT NULL, PRIMARY KEY (epoch, seq));
CREATE TABLE IF NOT EXISTS done (digest TEXT PRIMARY KEY, day TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS command (
    id TEXT PRIMARY KEY, issued REAL NOT NULL, is_open INTEGER NOT NULL, value BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS command_open ON command (is_open) WHERE is_open = 1;
"""
DONE_KEPT = 2000
"""Newest digests of what is over; counted, since a wrong clock would forget by date too early."""


class Keeps(Protocol):
    """What outlives the agent, such as a Store."""

    def get(self, key: str) -> bytes | None: ...
    def put(self, key: str, value: bytes) -> None: ...


def put_if_it_takes(keeps: Keeps, key: str, value: bytes) -> None:
    """For what a unit can do without: a full disk is told by who watches it (agent/storage.py), and is no fault of
    whose value this is."""
    try:
        keeps.put(key, value)
    except sqlite3.Error as error:
        log.warning("%s is not kept (%s)", key, type(error).__name__)


class Store:
    """The unit's memory. Used on the event loop only; a write is on disk when the call returns.

    A full disk raises sqlite3.OperationalError from the writing call, and what was there before stays whole.
    """

    def __init__(self, path: Path | None) -> None:
        """Without a path it is in memory alone, and gone with the process: better than no unit."""
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.was_damaged = False
        """What was in the file could not be read and is gone."""
        self.trouble = ""
        """SQLite's name for why the last write failed, such as SQLITE_FULL; empty once one has not."""
        self._db = _prepare(path) if path is None else self._open(path)
        self._depth = 0

    def close(self) -> None:
        """Write all into the main file and close it."""
        with suppress(
            sqlite3.Error
        ):  # a disk that is full or broken: the write-ahead log holds it all the same
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._db.close()

    def run(self, statement: str, *values: Any) -> list[Any]:  # noqa: ANN401 - SQLite's own types
        """One statement, for a module that has a table of its own here; returns its rows."""
        return self._rows(statement, *values)

    def get(self, key: str) -> bytes | None:
        """The kept value, or None."""
        rows = self._rows("SELECT value FROM kept WHERE key = ?", key)
        return bytes(rows[0][0]) if rows else None

    def put(self, key: str, value: bytes) -> None:
        """Keep a value."""
        self._rows("INSERT OR REPLACE INTO kept VALUES (?, ?)", key, value)

    def begin_anew(self, keep: tuple[str, ...]) -> None:
        """Forget all but what is kept under these keys. Within a transaction, call `scrub` afterwards."""
        marks = ", ".join("?" * len(keep))
        with self.transaction():
            for table in ("session", "outbox", "done", "command"):
                self._rows(f"DELETE FROM {table}")  # noqa: S608 - ours, just above
            self._rows(f"DELETE FROM kept WHERE key NOT IN ({marks})", *keep)  # noqa: S608 - marks alone
        self.scrub()

    def put_session(self, sid: str, value: bytes) -> None:
        """Keep a session's state."""
        self._rows("INSERT OR REPLACE INTO session VALUES (?, ?)", sid, value)

    def sessions(self) -> list[tuple[str, bytes]]:
        """All kept sessions, by sid."""
        rows = self._rows("SELECT sid, value FROM session")
        return [(str(sid), bytes(value)) for sid, value in rows]

    def append(self, epoch: int, seq: int, value: bytes, head: bytes) -> None:
        """Add an event and move the chain's head, both or neither."""
        with self.transaction():
            self._rows("INSERT INTO outbox VALUES (?, ?, ?)", epoch, seq, value)
            self.put("head", head)

    def pending(self, limit: int) -> list[bytes]:
        """The oldest events not yet acknowledged."""
        rows = self._rows("SELECT value FROM outbox ORDER BY epoch, seq LIMIT ?", limit)
        return [bytes(row[0]) for row in rows]

    def acknowledged(self, epoch: int, seq: int) -> None:
        """Forget events up to this one."""
        self._rows("DELETE FROM outbox WHERE epoch < ? OR (epoch = ? AND seq <= ?)", epoch, epoch, seq)
        if self._rows("SELECT changes()")[0][0]:
            self.scrub()

    def drop_session(self, sid: str) -> None:
        """Forget a session that may come again: a schedule may take it out and put it back."""
        self._rows("DELETE FROM session WHERE sid = ?", sid)

    def finish(self, sid: str, day: str) -> None:
        """Forget a session; only a digest of its sid stays, so that it cannot begin again."""
        with self.transaction():
            self.drop_session(sid)
            self.mark_done(sid, day)
        self.scrub()

    def mark_done(self, name: str, day: str) -> None:
        """Remember by its digest alone that something is over: a session, a code, a command."""
        with self.transaction():
            self._rows("INSERT OR REPLACE INTO done VALUES (?, ?)", _digest(name), day)
            self._rows("DELETE FROM done WHERE rowid <= (SELECT max(rowid) FROM done) - ?", DONE_KEPT)

    def is_finished(self, name: str) -> bool:
        """Whether this session has been held or has passed; a code, a command likewise."""
        return bool(self._rows("SELECT 1 FROM done WHERE digest = ?", _digest(name)))

    def scrub(self) -> None:
        """Let nothing deleted linger: the write-ahead log is emptied (deleted rows are overwritten).

        Within a transaction nothing happens: call it afterwards.
        """
        if self._depth == 0:
            self._rows("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes within reach the disk together or not at all; one inside another is part of it."""
        if self._depth == 0:
            self._rows("BEGIN IMMEDIATE")
        self._depth += 1
        try:
            yield
            if self._depth == 1:
                self._rows("COMMIT")
        except BaseException:
            if self._depth == 1 and self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        finally:
            self._depth -= 1

    def _rows(self, statement: str, *values: Any) -> list[Any]:  # noqa: ANN401 - SQLite's own types
        try:
            rows = self._db.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            self.trouble = getattr(error, "sqlite_errorname", "") or type(error).__name__
            raise
        if not self._db.in_transaction and not statement.startswith("SELECT"):
            self.trouble = ""
        return rows

    def _open(self, path: Path) -> sqlite3.Connection:
        """Open, or begin anew if the file is no longer a database: the region sends all again.

        The damaged file is not kept, since what it holds of sessions would then be wiped by nobody.
        """
        try:
            return _prepare(path)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            log.error("the store %s is damaged; it is removed and begun anew", path.name)  # noqa: TRY400
            for suffix in ("", "-wal", "-shm"):
                Path(f"{path}{suffix}").unlink(missing_ok=True)
            self.was_damaged = True
            return _prepare(path)


def _digest(sid: str) -> str:
    return hashlib.sha256(sid.encode()).hexdigest()


def _refuse_damaged(db: sqlite3.Connection) -> None:
    if db.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
        raise sqlite3.DatabaseError("damaged")


def _prepare(path: Path | None) -> sqlite3.Connection:
    if path is not None:
        path.touch(mode=0o600)
    db = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA secure_delete=ON")
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        # Found now, damage costs a fresh start; found later, it would stop the agent at every start.
        _refuse_damaged(db)
        db.executescript(_TABLES)
    except BaseException:
        db.close()
        raise
    return db
