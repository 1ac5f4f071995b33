"""How the unit's storage is, and what is done about it. A disk that fails must stop no visit, and be heard of.

What boot has found of the data partition (firmware/data_partition.py) and what the store meets with while it runs
come to one `Storage`, which IT reads in `up/info`; while it is not well the unit is `degraded`, and staff read it.
"""

from __future__ import annotations

import errno
import logging
import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from agent.contract.status import Storage
from agent.store import Store
from firmware.data_state import Report, enough, from_json

log = logging.getLogger(__name__)

REPORT = Path("/run/halsorum-data/state.json")
NOTE = "disk"
"""As the self-tests' faults are named; its text is `instruction.disk`."""
SYS = Path("/sys")
HAS_STOPPED = "its file system found an error in itself and takes no writes any more"
WELL = frozenset({"ok", "repaired"})
IN_MEMORY = frozenset({"missing", "garbage", "read_only"})
"""What boot found and laid memory in the place of."""
LOOK_EVERY_S = 10.0
GIVE_UP_AFTER_S = 60.0
"""A store that could not be written for so long is begun again elsewhere, when nobody is in the room."""
RESERVE_BYTES = 4 << 20
"""Thousands of facts, and the journal of the command that makes room."""
_BY_SQLITE = {"SQLITE_FULL": "full", "SQLITE_CORRUPT": "garbage", "SQLITE_NOTADB": "garbage"}
"""All others (SQLITE_READONLY, SQLITE_IOERR and their kin) are of a disk that takes no writes."""


class Reserve:
    """Bytes that nobody uses until the disk is full: then they are given back, and the unit goes on."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "reserve"

    def lay(self) -> None:
        """Take the bytes, if they are not taken yet; nothing is written to them."""
        with suppress(OSError):
            if not self._file.exists():
                descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                try:
                    os.posix_fallocate(descriptor, 0, RESERVE_BYTES)
                finally:
                    os.close(descriptor)

    def give_back(self) -> bool:
        """Whether there was something to give."""
        try:
            self._file.unlink()
        except OSError:
            return False
        log.warning("the disk is full: the unit lives on its reserve now")
        return True


@dataclass(frozen=True, slots=True)
class Opened:
    """A store that was opened as far as that was possible; `fault` is why it is in memory, if it is."""

    store: Store
    boot: int
    fault: Storage | None = None


def open_or_do_without(path: Path, open_: Callable[[Path | None], Store]) -> Opened:
    """The store, with this start counted in it; a store in memory where the disk takes nothing. Never raises for
    what the disk does."""
    for _ in range(2):
        try:
            store = open_(path)
            try:
                return Opened(store, _count(store))
            except sqlite3.Error:
                store.close()
                raise
        except (OSError, sqlite3.Error) as error:
            fault = _fault(error)
            log.error("the store cannot be used: %s", fault.reason)  # noqa: TRY400 - its text is all there is
            if not Reserve(path.parent).give_back():
                break
    store = open_(None)
    return Opened(store, _count(store), fault)


def _count(store: Store) -> int:
    boot = int(store.get("boot") or b"0") + 1
    store.put("boot", str(boot).encode())
    return boot


def _fault(error: OSError | sqlite3.Error) -> Storage:
    if isinstance(error, OSError):
        is_full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        return Storage(
            state="full" if is_full else "read_only", reason=error.strerror or type(error).__name__
        )
    return _said(getattr(error, "sqlite_errorname", ""))


def _said(trouble: str) -> Storage:
    return Storage.model_validate(
        {"state": _BY_SQLITE.get(trouble, "read_only"), "reason": f"the store cannot be written ({trouble})"}
    )


class StorageWatch:
    """Looks after the storage while the agent runs. On the event loop; it reads, and writes only its reserve.

    on_change is told what is new; begin_elsewhere lets the service start again, which lays memory over a folder
    that takes no writes (firmware/data_partition.py --again), and is called only when `busy` says nothing.
    """

    def __init__(
        self,
        opened: Opened,
        folder: Path,
        *,
        on_change: Callable[[Storage], None],
        begin_elsewhere: Callable[[], None],
        busy: Callable[[], str],
        monotonic_s: Callable[[], float],
        report_file: Path = REPORT,
    ) -> None:
        self._opened = opened
        self._folder = folder
        self._on_change = on_change
        self._begin_elsewhere = begin_elsewhere
        self._busy = busy
        self._monotonic_s = monotonic_s
        self._report = _read(report_file)
        self._reserve = Reserve(folder)
        self._errors_at_start = error_count(folder)
        self._looked_at_s = float("-inf")
        self._failing_since_s: float | None = None
        self.now = self._look()

    @property
    def is_in_memory(self) -> bool:
        """Whether all is forgotten with the next start of the machine, and the disk holds what we do not see."""
        at_boot = self._report is not None and self._report.state in IN_MEMORY
        return at_boot or self._opened.fault is not None

    def tick(self) -> None:
        """Once a second."""
        store, now_s = self._opened.store, self._monotonic_s()
        if store.trouble == "SQLITE_FULL":
            self._reserve.give_back()  # what waits in memory goes to disk with the next tick
        if now_s < self._looked_at_s + LOOK_EVERY_S:
            return
        self._looked_at_s = now_s
        before, self.now = self.now, self._look()
        if (before.state, before.reason) != (self.now.state, self.now.reason):
            log.warning("storage: %s", f"{self.now.state}: {self.now.reason}" if self.now.reason else "well")
            self._on_change(self.now)
        if self.now.state in WELL and not self.is_in_memory:
            self._reserve.lay()
        self._give_up(now_s)

    def _give_up(self, now_s: float) -> None:
        trouble = self._opened.store.trouble
        is_gone = self.now.state == "read_only" and not self.is_in_memory
        if not is_gone and trouble in {"", "SQLITE_FULL"}:
            self._failing_since_s = None
        elif self._failing_since_s is None:
            self._failing_since_s = now_s
        elif now_s >= self._failing_since_s + GIVE_UP_AFTER_S and not self._busy():
            self._failing_since_s = None
            self._begin_elsewhere()

    def _look(self) -> Storage:
        """What is wrong now, the gravest first; else what was mended."""
        room, report, store = _room(self._folder), self._report, self._opened.store
        found = self._opened.fault
        if found is None and report is not None and report.state in IN_MEMORY:
            return Storage(state=report.state, reason=report.reason)
        if found is None and store.trouble:
            found = _said(store.trouble)
        if found is None and error_count(self._folder) > self._errors_at_start:
            found = Storage(state="read_only", reason=HAS_STOPPED)
        if found is None:
            found = room.fault
        if found is None and store.was_damaged:
            found = Storage(state="repaired", reason="the store was damaged and is begun anew")
        if found is None and report is not None and report.state == "repaired":
            found = Storage(state="repaired", reason=report.reason)
        return (found or Storage(state="ok")).model_copy(update={"free_bytes": room.free_bytes})


def _read(file: Path) -> Report | None:
    try:
        return from_json(file.read_text())
    except (OSError, ValueError):
        return None


def error_count(folder: Path, sys: Path = SYS) -> int:
    """How many errors the ext4 below a folder has found in itself (Linux, sysfs-fs-ext4); 0 where nobody counts.

    It is mounted with errors=remount-ro, and may not say so to statvfs(3) when it stops (seen with Debian 12's
    kernel). Asked without a write, since an idle unit writes nothing.
    """
    with suppress(OSError, ValueError):
        number = folder.stat().st_dev
        device = (sys / f"dev/block/{os.major(number)}:{os.minor(number)}").resolve().name
        return int((sys / "fs/ext4" / device / "errors_count").read_text())
    return 0


def storage_now(folder: Path, report_file: Path = REPORT) -> Storage:
    """Beside an agent that does not run: by what boot has found, and what the file system says."""
    report, room = _read(report_file), _room(folder)
    if report is not None and report.state in IN_MEMORY:
        return Storage(state=report.state, reason=report.reason, free_bytes=room.free_bytes)
    return (room.fault or Storage(state="ok")).model_copy(update={"free_bytes": room.free_bytes})


@dataclass(frozen=True, slots=True)
class _Room:
    free_bytes: int | None
    fault: Storage | None = None


def _room(folder: Path) -> _Room:
    """What the file system below a folder says of itself (statvfs(3))."""
    try:
        state = os.statvfs(folder)
    except OSError as error:
        return _Room(None, Storage(state="read_only", reason=f"it does not answer: {error.strerror}"))
    free, least = state.f_bavail * state.f_frsize, enough(state.f_blocks * state.f_frsize)
    if state.f_flag & os.ST_RDONLY:
        return _Room(free, Storage(state="read_only", reason="it takes no writes any more"))
    if free < least:
        return _Room(free, Storage(state="full", reason=f"less than {least >> 20} MiB are free"))
    return _Room(free)
