"""The unit's data at boot: looked after, mounted, or memory in its place. The unit starts in any case.

`python -S -m firmware.data_partition` as root, before the journal and the agent (systemd/halsorum-data.service).
It checks and decides; the mounts themselves are systemd's (firmware/mount_units.py).
`--again` before each start of the agent: whether what was mounted still takes writes. What it found stands in
/run/halsorum-data/state.json; what is decided is in firmware/data_state.py. Standard library only.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from firmware.data_disk import (
    GROW_FROM_BYTES,
    LABEL,
    SECTOR_BYTES,
    FileSystem,
    Partition,
    file_system_on,
    find_data,
    free_bytes,
    total_bytes,
)
from firmware.data_state import Report, enough, is_mended, plain, to_json
from firmware.mount_units import MOUNT_WITHIN_S, UNITS, Mounts, MountUnit, point
from firmware.programs import Run, run_program

OPTIONS = "rw,nosuid,nodev,noexec,noatime,data=ordered,errors=remount-ro,commit=30"
"""Metadata after their data, for power cuts; what must not be lost is fsynced by its writer, so the rest may wait
for 30 s and a memory card is spared; a file system that finds itself broken stops writing."""
IN_MEMORY = "size=128M,mode=0755,nosuid,nodev,noexec"
OF_THE_MACHINE = ("nsenter", "--mount=/proc/1/ns/mnt", "--")
MAKE_ANEW = "make-anew"
"""A file in the partition's root: make a new file system before mounting (firmware/data_repair.py)."""
CHECK_WITHIN_S = 600.0
GROW_WITHIN_S = 150.0
GROW = "halsorum-data-grow.service"
DEVICE = "device"
"""In our folder: a link to the partition."""
WATCHING = ("halsorum-helper.path", "halsorum-network.path", "halsorum-update.path")
"""They look into the agent's folder, and into the new one only when they are started again."""
BROKEN_BY = {errno.EROFS: "read_only", errno.EIO: "read_only", errno.ENOSPC: "full", errno.EDQUOT: "full"}


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of the partition and where it is to be seen."""

    name: str
    seen_at: Path
    mode: int
    owner: str = "root"
    group: str = "root"


@dataclass(frozen=True, slots=True)
class Places:
    """Where things are; others in tests."""

    data: Path = Path("/data")
    run: Path = Path("/run/halsorum-data")
    sys: Path = Path("/sys")
    proc: Path = Path("/proc")
    dev: Path = Path("/dev")
    units: Path = UNITS
    folders: tuple[Folder, ...] = (
        Folder("agent", Path("/var/lib/halsorum"), 0o700, "halsorum", "halsorum"),
        Folder("journal", Path("/var/log/journal"), 0o755, group="systemd-journal"),
        Folder("audio", Path("/var/lib/halsorum-audio"), 0o750, "halsorum-audio", "halsorum-audio"),
        Folder("update", Path("/data/update"), 0o700, "halsorum", "halsorum"),
    )

    @property
    def state(self) -> Path:
        """What the agent reads."""
        return self.run / "state.json"


class DataPartition:
    """The deeds. Nothing here raises for what is found on the disk: it is reported."""

    def __init__(self, places: Places, run: Run = run_program) -> None:
        self._places = places
        self._run = run
        self._mounts = Mounts(places.units, run)

    def start(self, partition: Partition | None) -> Report:
        """At boot: check it, mount it, say so."""
        report = self._take(partition)
        self._show_folders()
        return self._say(report)

    def again(self) -> Report:
        """Before a start of the agent: its own folder takes writes, or gets memory laid over it."""
        folder = self._places.folders[0]
        fault = write_fault(folder.seen_at)
        if fault is None or fault[0] == "full":
            full = self._fullness(folder.seen_at)
            return self._say(full) if full is not None else Report("ok")
        # Over what is mounted there, with the power of the agent's own ExecStartPre=+: a unit has one mount.
        # It comes with a mount namespace of its own all the same (systemd 252), of which the machine sees nothing.
        mount = ("mount", "-t", "tmpfs", "-o", IN_MEMORY, "halsorum-data", str(folder.seen_at))
        exit_code, said = self._run((*OF_THE_MACHINE, *mount), MOUNT_WITHIN_S)
        if exit_code:
            sys.stderr.write(f"data: no memory in its place: {plain(said)}\n")
        else:
            _own(folder, folder.seen_at)  # the machine's mounts are seen here too
        self._run(("systemctl", "--no-block", "try-restart", *WATCHING), 20.0)
        return self._say(Report("read_only", fault[1]))

    def make(self, partition: Partition) -> str:
        """A new, empty file system, with what it is known by; empty if it could be made, else why not.

        mke2fs asks the device to discard what was there; without -F it leaves alone what is mounted.
        """
        command = (
            "mke2fs",
            "-q",
            "-t",
            "ext4",
            "-L",
            LABEL,
            "-m",
            "1",
            "-E",
            "discard",
            str(partition.device),
        )
        exit_code, said = self._run(command, CHECK_WITHIN_S)
        return "" if exit_code == 0 else plain(said) or f"mke2fs ended with {exit_code}"

    def _take(self, partition: Partition | None) -> Report:
        if partition is None:
            return self._in_memory(Report("missing", "the unit's disk has no partition named data"))
        if partition.is_read_only:
            return self._in_memory(Report("read_only", f"{partition.device} takes no writes"))
        checked = self._check(partition)
        fault = checked.reason if checked.state == "garbage" else self._mount(partition)
        if not fault and (self._places.data / MAKE_ANEW).exists():
            self._mounts.unmount(self._places.data)
            checked = Report("repaired", "made anew as asked")
            fault = self.make(partition) or self._mount(partition)
        return self._in_memory(Report("garbage", fault)) if fault else self._judge(checked)

    def _check(self, partition: Partition) -> Report:
        """What e2fsck leaves: `ok`, `repaired` or `garbage`."""
        device = partition.device
        try:
            there = file_system_on(device)
        except OSError as error:
            return Report("garbage", f"{device} cannot be read: {error.strerror}")
        if partition.behind_bytes >= GROW_FROM_BYTES:
            self._run(("systemctl", "start", GROW), GROW_WITHIN_S)
        exit_code, said = self._run(("e2fsck", "-p", str(device)), CHECK_WITHIN_S)
        if there is not None and is_mended(exit_code):
            self._grow_file_system(partition, there)
            return Report("ok")
        exit_code, second = self._run(("e2fsck", "-f", "-y", str(device)), CHECK_WITHIN_S)
        if is_mended(exit_code):
            return Report("repaired", plain(said) or "its file system was mended")
        why = "there is no file system on it" if there is None else "its file system cannot be mended"
        return Report("garbage", f"{device}: {why} ({plain(second)})")

    def _judge(self, checked: Report) -> Report:
        """It is mounted: does it take writes, and is there room?"""
        data = self._places.data
        fault = write_fault(data)
        if fault is not None and fault[0] == "read_only":
            self._mounts.unmount(data)
            return self._in_memory(Report("read_only", fault[1]))
        full = self._fullness(data)
        if full is not None:
            make_room(data)
            full = self._fullness(data)
        return full or Report(checked.state, checked.reason, free_bytes(data))

    def _fullness(self, place: Path) -> Report | None:
        try:
            free, least = free_bytes(place), enough(total_bytes(place))
        except OSError as error:
            return Report("read_only", f"{place}: {error.strerror}")
        if free >= least:
            return None
        return Report("full", f"{free >> 20} MiB are free, and it takes {least >> 20}", free)

    def _mount(self, partition: Partition) -> str:
        """Empty if it is mounted, else why not."""
        link = self._places.run / DEVICE
        fault = point(link, partition.device)
        fault = fault or self._mounts.mount(MountUnit(str(link), self._places.data, "ext4", OPTIONS))
        return f"{partition.device}: {fault}" if fault else ""

    def _in_memory(self, report: Report) -> Report:
        self._mounts.mount(MountUnit("halsorum-data", self._places.data, "tmpfs", IN_MEMORY))
        return report

    def _show_folders(self) -> None:
        """Each folder where programs look for it; what fails is left as the image has it."""
        bound = []
        for folder in self._places.folders:
            inner = self._places.data / folder.name
            with suppress(OSError):
                inner.mkdir(exist_ok=True)
                _own(folder, inner)
                if folder.seen_at != inner:
                    bound.append(MountUnit(str(inner), folder.seen_at, "none", "bind"))
        self._mounts.mount(*bound)

    def _grow_file_system(self, partition: Partition, there: FileSystem) -> None:
        room = partition.size * SECTOR_BYTES + partition.behind_bytes
        # So also after a power cut when the partition had grown.
        if room - there.size_bytes >= GROW_FROM_BYTES:
            self._run(("e2fsck", "-f", "-p", str(partition.device)), CHECK_WITHIN_S)  # resize2fs asks for it
            self._run(("resize2fs", str(partition.device)), CHECK_WITHIN_S)

    def _say(self, report: Report) -> Report:
        """For the agent and the log; whole or not at all."""
        file = self._places.state
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        beside = file.with_suffix(".new")
        beside.write_text(to_json(report))
        beside.chmod(0o644)
        beside.replace(file)
        sys.stderr.write(f"data: {report.state}{f': {plain(report.reason)}' if report.reason else ''}\n")
        return report


def write_fault(folder: Path) -> tuple[str, str] | None:
    """Why nothing can be written there, `read_only` or `full` with a reason; None if it can."""
    probe = folder / ".probe"
    try:
        with probe.open("wb") as opened:
            opened.write(bytes(4096))
            opened.flush()
            os.fsync(opened.fileno())
    except OSError as error:
        fault = BROKEN_BY.get(error.errno or 0, "read_only")
        return fault, f"{folder}: {error.strerror}"
    finally:
        with suppress(OSError):
            probe.unlink()
    return None


def make_room(data: Path) -> None:
    """What can go, goes: bundles on their way, and journals that are closed."""
    with suppress(OSError):
        going = [*(data / "update").glob("*"), *(data / "journal").glob("*/*@*.journal*")]
        for file in going:
            if file.is_file() and not file.is_symlink():
                file.unlink(missing_ok=True)


def _own(folder: Folder, place: Path) -> None:
    with suppress(OSError):
        place.chmod(folder.mode)
    with suppress(LookupError, OSError):  # a user that this machine does not have (a bench)
        import shutil  # late: it takes longer to load than all else here

        shutil.chown(place, folder.owner, folder.group)


def main(arguments: Sequence[str]) -> int:
    """At boot, or before the agent with `--again`. Always 0: nothing that is wrong here may keep the unit down."""
    places = Places()
    partition = DataPartition(places)
    try:
        if "--again" in arguments:
            partition.again()
        else:
            partition.start(find_data(places.sys, places.proc, places.dev))
    except OSError as error:
        sys.stderr.write(f"data: {type(error).__name__}: {error}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
