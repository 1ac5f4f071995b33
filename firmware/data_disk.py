"""Which partition is the unit's data, and what stands on it. Reads only; standard library only, for a quick boot.

The data partition is the one that is named so in the partition table of the disk that the root file system is on:
a stick with another unit's image in it has the same names, and is somebody else's.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PARTITION_NAMES = frozenset({"data", "halsorum-data"})
LABEL = "halsorum-data"
"""Of the file system on it; ext4 has room for 16 bytes."""
SECTOR_BYTES = 512
"""What sysfs counts in, whatever the disk's own sectors are (Documentation/block/stat.rst)."""
GROW_FROM_BYTES = 64 << 20
"""Less than this behind the partition is not worth moving anything for."""
_SUPERBLOCK_AT, _SUPERBLOCK_BYTES = 1024, 1024
_EXT_MAGIC = 0xEF53
"""Of ext2, ext3 and ext4, at byte 56 of the superblock; the label is at 120 (Documentation/filesystems/ext4)."""


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition as the kernel has it; start, size and disk_size in sectors of 512 bytes."""

    device: Path
    disk: Path
    number: int
    start: int = 0
    size: int = 0
    disk_size: int = 0
    is_read_only: bool = False

    @property
    def behind_bytes(self) -> int:
        """How much of the disk follows it."""
        return max(0, self.disk_size - self.start - self.size) * SECTOR_BYTES


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of /proc/self/mountinfo (proc(5))."""

    device: str
    """Major and minor number, as `254:5`."""
    place: Path
    kind: str
    """Of file system: `ext4`, `tmpfs`."""
    options: frozenset[str]
    """Of the mount and of the file system under it: `ro` in either is read-only."""


def mounts(proc: Path) -> list[Mount]:
    """All that is mounted, in the order it was."""
    return list(_mounts((proc / "self/mountinfo").read_text().splitlines()))


def _mounts(lines: Iterable[str]) -> Iterator[Mount]:
    for line in lines:
        before, _, after = line.partition(" - ")
        fields, kind = before.split(), after.split()
        place = fields[4].encode().decode("unicode_escape")
        options = {*fields[5].split(","), *(kind[2].split(",") if len(kind) > 2 else ())}
        yield Mount(fields[2], Path(place), kind[0] if kind else "", frozenset(options))


def find_data(sys: Path, proc: Path, dev: Path, names: frozenset[str] = PARTITION_NAMES) -> Partition | None:
    """The data partition of the disk that the root is on; None where there is none, or more than one."""
    root = next((mount.device for mount in mounts(proc) if mount.place == Path("/")), "")
    own = sys / "dev/block" / root
    if not (own / "partition").exists():
        return None  # the root is on no partition: this is no unit's disk
    disk = own.resolve().parent
    found = [
        partition
        for folder in sorted(disk.iterdir())
        if (folder / "partition").exists() and (partition := _named(folder, disk, dev, names)) is not None
    ]
    return found[0] if len(found) == 1 else None


def _named(folder: Path, disk: Path, dev: Path, names: frozenset[str]) -> Partition | None:
    said = dict(line.partition("=")[::2] for line in (folder / "uevent").read_text().splitlines())
    if said.get("PARTNAME") not in names:
        return None

    def number(file: Path) -> int:
        return int(file.read_text())

    return Partition(
        device=dev / folder.name,
        disk=dev / disk.name,
        number=number(folder / "partition"),
        start=number(folder / "start"),
        size=number(folder / "size"),
        disk_size=number(disk / "size"),
        is_read_only=bool(number(folder / "ro")),
    )


@dataclass(frozen=True, slots=True)
class FileSystem:
    """An ext file system as its superblock says."""

    label: str
    size_bytes: int


def file_system_on(device: Path) -> FileSystem | None:
    """What is there; None where it is no ext file system. Raises OSError for a device that does not even read."""
    with device.open("rb", buffering=0) as opened:
        opened.seek(_SUPERBLOCK_AT)
        block = opened.read(_SUPERBLOCK_BYTES)
    if len(block) < _SUPERBLOCK_BYTES or struct.unpack_from("<H", block, 56)[0] != _EXT_MAGIC:
        return None
    blocks, log_block_kib = struct.unpack_from("<I", block, 4)[0], struct.unpack_from("<I", block, 24)[0]
    label = block[120:136].rstrip(b"\0").decode(errors="replace")
    return FileSystem(label, blocks << (10 + min(log_block_kib, 6)))


def number_of(device: Path) -> str:
    """`major:minor` of a block device, as mountinfo names it; empty for what is none (a file, in tests)."""
    with suppress(OSError):
        status = device.stat()
        if status.st_rdev:
            return f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}"
    return ""


def free_bytes(place: Path) -> int:
    """What others than root may still write there (statvfs(3))."""
    state = os.statvfs(place)
    return state.f_bavail * state.f_frsize


def total_bytes(place: Path) -> int:
    """How large the file system there is."""
    state = os.statvfs(place)
    return state.f_blocks * state.f_frsize
