"""Which of two instances of the region acts: a lease in PostgreSQL, with a fencing number for every write.

Why a row and not a session's advisory lock: a lock is gone when PostgreSQL fails over to a replica, and its holder
cannot know; a row goes along. The lock's holder also learns too late that it has lost it: a process that was stopped
(SIGSTOP, a frozen virtual machine) goes on where it was. So:

- `region_heartbeat` says until when the lease holds, by PostgreSQL's clock alone; its holder prolongs it every second.
- `region_lease` holds the fencing number, which grows with each holder. Every transaction of the service that
  writes first takes a share of that row under its own number (Database.write). A new holder's UPDATE of it waits
  for those that are under way; after it none of an older number begins or commits. A holder that was stopped in
  the middle of a transaction is cut off by PostgreSQL (idle_in_transaction_session_timeout), which rolls that back.
- What is not in the database (messages to the broker) is sent only while `holds()`: the holder's own clock, which
  counts on while it is stopped or asleep, ends its acting well before anybody else may begin.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable

from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from provisioning.database_url import connect_options, driver_url

log = logging.getLogger(__name__)

LEASE_S = 6.0
"""After its last heartbeat, another may take over."""
ACTS_S = 4.0
"""After the beginning of its last heartbeat the holder acts no more: two seconds for clocks that run unevenly."""
RENEW_EVERY_S = 1.0
STATEMENT_TIMEOUT_S = 3.0
TAKE_OVER_TIMEOUT_S = 10.0
"""Longer than PostgreSQL lets an old holder's transaction idle (database_url.IDLE_IN_TRANSACTION_S)."""
TABLES_LOCK = 0x48525F4C  # "HR_L"

FENCE_HOLDS = text("SELECT 1 FROM region_lease WHERE fence = :fence FOR SHARE")
"""Under READ COMMITTED one that had to wait for a new holder's UPDATE looks at the row anew, and finds none."""
_TABLES = (
    "CREATE TABLE IF NOT EXISTS region_lease (one boolean PRIMARY KEY DEFAULT true CHECK (one), "
    "fence bigint NOT NULL, holder text NOT NULL, taken_at timestamptz NOT NULL)",
    "CREATE TABLE IF NOT EXISTS region_heartbeat (one boolean PRIMARY KEY DEFAULT true CHECK (one), "
    "incarnation text NOT NULL, until timestamptz NOT NULL)",
    "INSERT INTO region_lease VALUES (true, 0, '', clock_timestamp()) ON CONFLICT DO NOTHING",
    "INSERT INTO region_heartbeat VALUES (true, '', clock_timestamp()) ON CONFLICT DO NOTHING",
)
_UNTIL = f"clock_timestamp() + interval '{LEASE_S} seconds'"
_IS_OVER = text("SELECT until < clock_timestamp() FROM region_heartbeat FOR UPDATE SKIP LOCKED")
_TAKE = text(
    "UPDATE region_lease SET fence = fence + 1, holder = :holder, taken_at = clock_timestamp() RETURNING fence"
)
_BEGIN = text(f"UPDATE region_heartbeat SET incarnation = :incarnation, until = {_UNTIL}")  # noqa: S608
_RENEW = text(f"UPDATE region_heartbeat SET until = {_UNTIL} WHERE incarnation = :incarnation")  # noqa: S608
_RELEASE = text("UPDATE region_heartbeat SET until = clock_timestamp() WHERE incarnation = :incarnation")


class Deposed(RuntimeError):
    """Another instance has taken over; what was to be written is not."""


def boot_time_s() -> float:
    """Counts on while the process is stopped and the machine asleep (clock_gettime(2), CLOCK_BOOTTIME)."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Lease:
    """Of one process. take, renew and release on one thread; holds on any, without waiting for anything."""

    def __init__(self, url: str, holder: str, *, now_s: Callable[[], float] = boot_time_s) -> None:
        self._engine = _engine(url)
        self._holder = holder
        self._incarnation = f"{holder}:{secrets.token_hex(8)}"
        self._now_s = now_s
        self._acts_until_s = float("-inf")
        self._has_tables = False
        self.fence: int | None = None
        """The number under which this process writes, once it holds the lease."""
        self.holder_before = ""
        """Who held it before; empty if nobody did."""

    def holds(self) -> bool:
        """Whether this process may act at this moment."""
        return self.fence is not None and self._now_s() < self._acts_until_s

    def take(self) -> bool:
        """Take it if nobody holds it. Waits for writes that an earlier holder has under way. Raises nothing."""
        if self.fence is not None:
            raise RuntimeError("a process holds the lease once; another begins anew")
        began_s = self._now_s()
        try:
            with self._engine.connect() as db:
                self._make_tables(db)
                with db.begin():
                    if db.scalar(_IS_OVER) is not True:
                        return False
                    db.execute(text(f"SET LOCAL statement_timeout = '{TAKE_OVER_TIMEOUT_S:.0f}s'"))
                    self.holder_before = str(db.scalar(text("SELECT holder FROM region_lease")))
                    fence = db.scalar(_TAKE, {"holder": self._holder})
                    began_s = self._now_s()
                    db.execute(_BEGIN, {"incarnation": self._incarnation})
        except SQLAlchemyError as error:
            log.warning("the lease could not be taken: %s", _kind(error))
            return False
        # In this order: whoever sees the number sees until when.
        self._acts_until_s = began_s + ACTS_S
        self.fence = fence
        log.info("%s leads now, fence %s; before it: %s", self._holder, fence, self.holder_before or "nobody")
        return True

    def renew(self) -> bool:
        """Prolong it. False: it could not be, or is another's; `holds` says until when this process still acts."""
        began_s = self._now_s()
        try:
            with self._engine.connect() as db, db.begin():
                renewed = db.execute(_RENEW, {"incarnation": self._incarnation}).rowcount == 1
        except SQLAlchemyError as error:
            log.warning("the lease could not be renewed: %s", _kind(error))
            return False
        # An answer that came too late brings nothing back: another may have led meanwhile.
        if not renewed or self._now_s() >= self._acts_until_s:
            self.drop()
            return False
        self._acts_until_s = began_s + ACTS_S
        return True

    def drop(self) -> None:
        """Act no more, from now on."""
        self._acts_until_s = float("-inf")

    def release(self) -> None:
        """Let another take it at once; after everything that acts has stopped."""
        self.drop()
        try:
            with self._engine.connect() as db, db.begin():
                db.execute(_RELEASE, {"incarnation": self._incarnation})
        except SQLAlchemyError as error:
            log.warning("the lease was not given back, it runs out: %s", _kind(error))

    def _make_tables(self, db: Connection) -> None:
        if self._has_tables:
            return
        with db.begin():
            # Two that begin together would both find no table, and one of them would fail.
            db.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": TABLES_LOCK})
            for statement in _TABLES:
                db.execute(text(statement))
        self._has_tables = True


def _engine(url: str) -> Engine:
    options = connect_options(url, statement_timeout_s=STATEMENT_TIMEOUT_S)
    return create_engine(driver_url(url), hide_parameters=True, poolclass=NullPool, connect_args=options)


def _kind(error: SQLAlchemyError) -> str:
    """Without the text, which may hold the address and the user of the database."""
    return type(getattr(error, "orig", None) or error).__name__
