"""Whether the region lives: systemd's watchdog is fed only while its worker, its link and its database move.

| part | stands still when |
|---|---|
| worker | no turn of its loop has ended |
| link | the thread that holds the broker's connection has neither one that lives nor begun another attempt |
| database | a small transaction was neither done nor refused: connections, or the lock for writing, are held |

What is *away* (a broker, a PostgreSQL that refuses) is no reason: a restart would not bring it back. What stands
still is said in the journal before systemd ends the service (sd_notify(3), WATCHDOG=1) and starts another.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnection

from provisioning.database import Database

log = logging.getLogger(__name__)

USUAL_WATCHDOG_S = 90.0
"""WatchdogSec= in systemd/halsorum-region.service. Without systemd it is looked and said all the same."""
LIMIT_SHARE = 0.6
"""Of systemd's patience: told early enough to be on record. An attempt to reach a broker that is silent takes 8 s,
its answer's wait 20 s; a night's work for two thousand units some seconds."""
LOOK_SHARE = 0.1
SQLITE_BUSY = "SQLITE_BUSY"


@dataclass(frozen=True, slots=True)
class Part:
    """moved_at: time.monotonic() when it last moved."""

    name: str
    moved_at: Callable[[], float]


def watchdog_s(environment: Mapping[str, str] = os.environ) -> float:
    """How long systemd waits for us (sd_watchdog_enabled(3)), in seconds."""
    given = environment.get("WATCHDOG_USEC", "")
    return int(given) / 1e6 if given.isdigit() and int(given) > 0 else USUAL_WATCHDOG_S


class DatabaseProbe:
    """Asks the database for a transaction again and again, on a thread of its own, which may hang in it."""

    def __init__(self, database: Database, every_s: float) -> None:
        self._database = database
        self._every_s = every_s
        self._stopping = threading.Event()
        self.answered_at = time.monotonic()

    def start(self) -> None:
        """Begin to ask."""
        threading.Thread(target=self._run, name="database probe", daemon=True).start()

    def stop(self) -> None:
        """Ask no more."""
        self._stopping.set()

    def ask(self) -> None:
        """Once. Nothing is changed; SQLite gives the lock for writing and takes it back."""
        try:
            with self._database.write() as db:
                db.execute(text("SELECT 1"))
        except NoConnection:
            return  # all connections are held by whoever does not come back
        except SQLAlchemyError as error:
            if getattr(getattr(error, "orig", None), "sqlite_errorname", "") == SQLITE_BUSY:
                return
        except RuntimeError:  # Deposed: it has answered, and others act on it
            pass
        self.answered_at = time.monotonic()

    def _run(self) -> None:
        while not self._stopping.wait(self._every_s):
            self.ask()


class Alive:
    """Looks at the parts on a thread of its own."""

    def __init__(
        self,
        parts: Callable[[], Sequence[Part]],
        notify: Callable[[str], object],
        *,
        within_s: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """parts: those that there are now; of an instance that stands by, none. within_s: WatchdogSec=."""
        self._parts = parts
        self._notify = notify
        self._within_s = watchdog_s() if within_s is None else within_s
        self._clock = clock
        self._stalled = ""
        self._stopping = threading.Event()

    def start(self) -> None:
        """Begin to look, and to feed."""
        threading.Thread(target=self._run, name="alive", daemon=True).start()

    def stop(self) -> None:
        """Look no more."""
        self._stopping.set()

    def look(self) -> str:
        """Look once; feed the watchdog if all move. Which part stands still, or nothing."""
        limit_s, now = self._within_s * LIMIT_SHARE, self._clock()
        stood = {part.name: now - part.moved_at() for part in self._parts()}
        stalled = next((name for name, stood_s in stood.items() if stood_s > limit_s), "")
        if not stalled:
            self._notify("WATCHDOG=1")
        if stalled != self._stalled:
            self._say(stalled, stood.get(stalled, 0.0))
        self._stalled = stalled
        return stalled

    def _say(self, stalled: str, stood_s: float) -> None:
        fields = {"halsorum_stalled": stalled}
        if stalled:
            log.critical("stalled: the region's %s stands since %.0f s", stalled, stood_s, extra=fields)
            self._notify(f"STATUS=stalled: {stalled}")
        else:
            log.warning("what stood still moves again", extra=fields)
            self._notify("STATUS=")

    def _run(self) -> None:
        while not self._stopping.wait(self._within_s * LOOK_SHARE):
            with suppress(Exception):  # a region that is being made or stopped: it is looked at again
                self.look()
