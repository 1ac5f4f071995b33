"""File systems made of folders without a mount: ext4 by mke2fs -d, FAT by mtools; the same each time."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from firmware.image.layout import MIB, fixed_uuid

# GRUB 2.06 reads no metadata_csum_seed and no orphan_file.
_FEATURES = "^metadata_csum_seed,^orphan_file"
_COUNTS = ("Inode count", "Free inodes")
_TIMES = ("ctime", "atime")
SPARE = 1.08
"""Of a root's own size, for ext4's tables."""


def used_bytes(folder: Path) -> int:
    """What a folder takes in blocks of 4 KiB, hard links once."""
    seen, total = set(), 0
    for path in _walk(folder):
        info = path.lstat()
        if info.st_ino not in seen:
            seen.add(info.st_ino)
            total += -(-info.st_size // 4096) * 4096 if stat.S_ISREG(info.st_mode) else 4096
    return total


def clamp_times(folder: Path, epoch_s: int) -> None:
    """No file is younger than the commit."""
    for path in _walk(folder):
        if path.lstat().st_mtime > epoch_s:
            os.utime(path, (epoch_s, epoch_s), follow_symlinks=False)


def change_time(folder: Path, before_s: int, now_s: int) -> None:
    """Whatever is exactly as old as said gets another time."""
    for path in _walk(folder):
        if int(path.lstat().st_mtime) == before_s:
            os.utime(path, (now_s, now_s), follow_symlinks=False)


def _walk(folder: Path) -> Iterable[Path]:
    yield folder
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            yield Path(parent) / name


@dataclass(frozen=True, slots=True)
class Ext4:
    """An ext4 file system to be made; `names` give its UUID and its hash seed. `size` in bytes."""

    label: str
    size: int
    names: tuple[str, ...]
    journal: bool = True
    owner: str = "0:0"
    """Of its topmost folder, user:group in numbers."""


def make_ext4(target: Path, kind: Ext4, folder: Path | None, epoch_s: int) -> None:
    """In a file, filled from a folder."""
    with target.open("wb") as file:
        file.truncate(kind.size)
    block = "4096" if kind.size > 512 * MIB else "1024"
    features = _FEATURES + ("" if kind.journal else ",^has_journal,^resize_inode")
    seed = fixed_uuid(*kind.names, "seed")
    extended = f"hash_seed={seed},root_owner={kind.owner},lazy_itable_init=0,nodiscard"
    command = ["mke2fs", "-q", "-F", "-t", "ext4", "-L", kind.label, "-m", "0", "-b", block, "-O", features]
    command += ["-U", str(fixed_uuid(*kind.names, "uuid")), "-E", extended]
    filled = ["-d", str(folder)] if folder is not None else []
    environment = {**os.environ, "E2FSPROGS_FAKE_TIME": str(epoch_s), "LC_ALL": "C"}
    subprocess.run([*command, *filled, str(target)], check=True, env=environment)
    _fix_times(target, epoch_s, environment)


def _fix_times(target: Path, epoch_s: int, environment: Mapping[str, str]) -> None:
    """mke2fs copies the change time, which is the time of the build; no other part of an inode differs."""
    header = subprocess.run(
        ["dumpe2fs", "-h", str(target)], check=True, capture_output=True, text=True, env=environment
    )
    count, free = (int(re.findall(rf"^{name}: +(\d+)", header.stdout, re.MULTILINE)[0]) for name in _COUNTS)
    lines = [
        f"sif <{inode}> {field} @{epoch_s}" for inode in (2, *range(11, count - free + 1)) for field in _TIMES
    ]
    with tempfile.NamedTemporaryFile("w", suffix=".debugfs") as script:
        script.write("\n".join(lines) + "\n")
        script.flush()
        command = ["debugfs", "-w", "-f", script.name, str(target)]
        subprocess.run(command, check=True, capture_output=True, env=environment)


def make_fat(target: Path, size: int, serial: str, files: Mapping[str, Path], epoch_s: int) -> None:
    """A FAT32 file system in a file. `files`: path within it → file of this machine."""
    with target.open("wb") as file:
        file.truncate(size)
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(epoch_s), "MTOOLS_SKIP_CHECK": "1", "TZ": "UTC"}
    volume = ["mkfs.vfat", "--invariant", "-F", "32", "-s", "1", "-n", "HALSORUM", "-i", serial, str(target)]
    subprocess.run(volume, check=True, stdout=subprocess.DEVNULL, env=environment)
    parents = {str(parent) for name in files for parent in PurePosixPath(name).parents} - {"."}
    for folder in sorted(parents):
        subprocess.run(["mmd", "-i", str(target), f"::/{folder}"], check=True, env=environment)
    for name in sorted(files):
        os.utime(files[name], (epoch_s, epoch_s))
        command = ["mcopy", "-m", "-i", str(target), str(files[name]), f"::/{name}"]
        subprocess.run(command, check=True, env=environment)
