"""One instance at a time works with an SQLite database: a lock that the kernel lets go when its process ends."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import Self

from sqlalchemy import make_url

POLL_S = 0.1


class AnotherInstance(RuntimeError):
    """Another process of the region's service has this database; the text says which and what to do."""


class SqliteLock:
    """Beside the database's file. Held until release() or the process's end (flock(2))."""

    def __init__(self, file: Path) -> None:
        self._handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    @classmethod
    def take(cls, url: str, wait_s: float = 0.0) -> Self | None:
        """Of this database; None where it is in memory. An instance that is just ending is waited for.

        Raises AnotherInstance.
        """
        database = make_url(url).database or ""
        if not database or database.startswith((":memory:", "file:")):
            return None
        lock = cls(Path(f"{database}.lock"))
        until_s = time.monotonic() + wait_s
        while not lock._try():
            if time.monotonic() >= until_s:
                holder = os.pread(lock._handle, 20, 0).decode(errors="replace").strip()
                os.close(lock._handle)
                raise AnotherInstance(
                    f"Another service of the region (process {holder or 'unknown'}) works with {database}. "
                    "Stop it first; two instances need PostgreSQL, see provisioning/two_instances.md."
                )
            time.sleep(POLL_S)
        os.ftruncate(lock._handle, 0)
        os.pwrite(lock._handle, str(os.getpid()).encode(), 0)
        return lock

    def release(self) -> None:
        """Let another begin; harmless twice: a service may be told to stop while it stops."""
        handle, self._handle = self._handle, -1
        if handle >= 0:
            os.close(handle)

    def _try(self) -> bool:
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
