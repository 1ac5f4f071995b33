"""The real region of which one part comes to stand still.

`python -m tests.system.stalling_region PART --settings …`. `worker`: a tick never ends; `link`: the thread that
connects does not come back; `database`: somebody holds the lock for writing; `none`: nothing. It begins some
seconds after the start.
"""

from __future__ import annotations

import sys
import time
from threading import Thread, Timer
from typing import Any

from agent.link import Link
from provisioning import server
from provisioning.alive import DatabaseProbe
from provisioning.region import Region

BEGINS_AFTER_S = 3.0


def hang(*_arguments: Any) -> None:
    """For longer than any watchdog waits."""
    time.sleep(600)


def hold(probe: DatabaseProbe) -> None:
    """SQLite's one lock, by a thread that does not come back."""
    with probe._database.write() as db:
        db.connection()
        hang()


def install(part: str) -> None:
    """Put the fault where it is to be."""
    start = DatabaseProbe.start

    def starting(self: DatabaseProbe) -> None:
        start(self)
        Timer(BEGINS_AFTER_S, begin, (self,)).start()

    def begin(probe: DatabaseProbe) -> None:
        if part == "worker":
            Region._tick = hang  # type: ignore[method-assign]
        if part == "link":
            Link._judge = hang  # type: ignore[method-assign]
        if part == "database":
            Thread(target=hold, args=(probe,), daemon=True).start()

    DatabaseProbe.start = starting  # type: ignore[method-assign]


if __name__ == "__main__":
    install(sys.argv.pop(1))
    server.main()
