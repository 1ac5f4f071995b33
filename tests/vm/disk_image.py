"""What lies where on a unit's disk: its GPT, and a file system made here put into one of its partitions."""

from __future__ import annotations

import struct
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

SECTOR_BYTES = 512
SIGNATURE = b"EFI PART"


class DiskError(ValueError):
    """The image has no such partition, or no table of partitions; the message says which image."""


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition, by its GPT name."""

    name: str
    start_byte: int
    size_bytes: int


def partitions(image: Path) -> dict[str, Partition]:
    """A raw image's partitions by name (UEFI 2.10, section 5.3)."""
    with image.open("rb") as opened:
        opened.seek(SECTOR_BYTES)
        header = opened.read(92)
        if header[:8] != SIGNATURE:
            raise DiskError(f"{image}: has no GPT. Build it with make image BOARD=vm.")
        first_entry, count, size = struct.unpack_from("<QII", header, 72)
        opened.seek(first_entry * SECTOR_BYTES)
        table = opened.read(count * size)
    found = (_partition(table[at : at + size]) for at in range(0, len(table), size))
    return {each.name: each for each in found if each is not None}


def _partition(entry: bytes) -> Partition | None:
    if entry[:16] == bytes(16):
        return None
    first, last = struct.unpack_from("<QQ", entry, 32)
    name = entry[56:128].decode("utf-16-le").partition("\0")[0]
    return Partition(name, first * SECTOR_BYTES, (last - first + 1) * SECTOR_BYTES)


def partition(image: Path, name: str) -> Partition:
    """One of them; raises DiskError where there is none of that name."""
    found = partitions(image)
    if name not in found:
        raise DiskError(f"{image}: has no partition {name!r}, only {', '.join(found)}")
    return found[name]


def make_ext4(file: Path, size_bytes: int, label: str, content: Path | None = None) -> Path:
    """An ext4 file system with a folder's content; owners and modes are the folder's."""
    with file.open("wb") as opened:
        opened.truncate(size_bytes)
    inside = [] if content is None else ["-d", str(content)]
    _run("mke2fs", "-q", "-t", "ext4", "-m", "0", "-L", label, *inside, str(file))
    return file


def write_partition(disk: Path, into: Partition, content: bytes | Path) -> None:
    """Over the beginning of a partition of a qcow2 disk of a machine that is off."""
    with tempfile.NamedTemporaryFile() as held:
        file = content if isinstance(content, Path) else Path(held.name)
        if isinstance(content, bytes):
            file.write_bytes(content + bytes(-len(content) % SECTOR_BYTES))
        size = file.stat().st_size
        if size > into.size_bytes:
            raise DiskError(f"{size} bytes do not fit into {into.name} ({into.size_bytes})")
        _run("qemu-io", "-f", "qcow2", "-c", f"write -q -s {file} {into.start_byte} {size}", str(disk))


def take_file(image: Path, place: Partition, path: str, into: Path) -> Path:
    """A file out of an ext4 partition of a raw image, without a mount; raises DiskError where there is none."""
    into.unlink(missing_ok=True)
    _run("debugfs", "-R", f"dump {path} {into}", f"{image}?offset={place.start_byte}")
    if not into.exists() or not into.stat().st_size:
        raise DiskError(f"{image}: no {path} in {place.name}")
    return into


def _run(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode != 0 or "failed" in done.stdout:
        raise DiskError(f"{words[0]}: {done.stdout}{done.stderr}")
