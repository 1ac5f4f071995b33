"""Takes a unit out of service, step by step; every step can be done again after a kill. Files only.

1. `wipe.json` (the mark) says that it goes on, for which command; the agent starts anew and does nothing else.
2. Data: every file of the state folder but identity, mark and network is overwritten, read back, and removed.
3. The region is told that the data are gone, with the key that still is, and says that it has heard.
4. Keys and network, in the same way; last the mark becomes `wiped.json` (the tombstone).

Flash memory may keep a worn-out copy of what was overwritten; for that a whole disk is encrypted, which is the
image's to do.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

MARK, TOMBSTONE = "wipe.json", "wiped.json"
IDENTITY, BOOTSTRAP = "identity", "bootstrap"
"""Folders: all identities of a unit, and within it the one with which it may enrol."""
NETWORK = "network"
"""The wired network that is in force (firmware/network.py): without it nobody could be told."""
RUN = "run"
"""The kiosk's secret of this start of the machine: the screen goes on to say how it stands."""
SELFTEST = "selftest.json"
"""The last self-test, which lies beside it (agent/selftest_kept.py)."""
BLOCK_BYTES = 1 << 16


class NotErased(OSError):
    """What was overwritten still reads as it was; names the file alone."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What a wipe needs to know of itself after a restart. Times are the region's, as text.

    config: JSON of what the region has set of the way to its broker, since the store goes first.
    """

    command: str
    keep_bootstrap: bool
    unit: str
    boot: int
    at: str
    data_gone: bool = False
    files: int = 0
    config: str = ""


@dataclass(frozen=True, slots=True)
class Places:
    """Where a unit keeps what; `keys` and the folder of identities may lie outside of the state folder."""

    state: Path
    keys: tuple[Path, ...]
    identity_dir: Path | None = None

    @property
    def identity(self) -> Path:
        """The folder of identities (agent/identity_store.py)."""
        return self.identity_dir or self.state / IDENTITY


def read_mark(state: Path) -> Mark | None:
    """Whether a wipe goes on here."""
    try:
        return Mark(**json.loads((state / MARK).read_bytes()))
    except (FileNotFoundError, NotADirectoryError):
        return None


def write_mark(state: Path, mark: Mark) -> None:
    """Begin, or note how far it has come; on disk when this returns."""
    write_whole(state / MARK, json.dumps(asdict(mark)).encode())


def erase_data(places: Places) -> int:
    """Overwrite and remove all but identities, mark and network; how many files went. Raises OSError."""
    kept = {places.state / name for name in (MARK, TOMBSTONE, IDENTITY, NETWORK, RUN)}
    kept |= {places.identity, *places.keys}
    told = places.state / RUN / SELFTEST
    count = _erase_all([*_files(places.state, kept), *([told] if told.exists() else [])])
    _remove_empty_folders(places.state, kept)
    left = [file.name for file in _files(places.state, kept)]
    if left:
        raise NotErased(f"{left[0]} is still there")
    return count


def erase_keys(places: Places, *, keep_bootstrap: bool) -> int:
    """The same for keys, certificates and network. Raises OSError."""
    identity, network = places.identity, places.state / NETWORK
    kept = {identity / BOOTSTRAP} if keep_bootstrap else set()
    keys = [key for key in places.keys if key.exists()]
    count = _erase_all([*keys, *_files(identity, kept), *_files(network, set())])
    _remove_empty_folders(identity, kept)
    _remove_empty_folders(network, set())
    return count


def bury(state: Path, mark: Mark) -> None:
    """The last step: from now on nothing is to be done any more."""
    told = {"at": mark.at, "unit": mark.unit, "bootstrap": "kept" if mark.keep_bootstrap else "removed"}
    write_whole(state / TOMBSTONE, json.dumps(told).encode())
    (state / MARK).unlink(missing_ok=True)
    _sync_folder(state)


def is_buried(state: Path) -> bool:
    """Whether this unit was taken out of service."""
    return (state / TOMBSTONE).exists()


def erase(file: Path) -> None:
    """Overwrite a file in its place, read it back, and remove it. Raises OSError."""
    if file.is_symlink() or not file.is_file():
        file.unlink()
        return
    size = file.stat().st_size
    file.chmod(0o600)
    with file.open("r+b", buffering=0) as open_file:
        for start in range(0, size, BLOCK_BYTES):
            noise = secrets.token_bytes(min(BLOCK_BYTES, size - start))
            open_file.seek(start)
            open_file.write(noise)
            os.fsync(open_file.fileno())
            os.posix_fadvise(open_file.fileno(), start, len(noise), os.POSIX_FADV_DONTNEED)
            open_file.seek(start)
            if open_file.read(len(noise)) != noise:
                raise NotErased(f"{file.name} reads as it was")
        open_file.truncate(0)
        os.fsync(open_file.fileno())
    file.unlink()
    _sync_folder(file.parent)


def write_whole(file: Path, body: bytes) -> None:
    """A file that is there whole or not at all, on disk when this returns."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = file.with_name(f"{file.name}.new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as output:
        output.write(body)
        output.flush()
        os.fsync(output.fileno())
    new.replace(file)
    _sync_folder(file.parent)


def _erase_all(files: Iterable[Path]) -> int:
    count = 0
    for file in list(files):
        erase(file)
        count += 1
    return count


def _files(folder: Path, kept: set[Path]) -> Iterator[Path]:
    if not folder.is_dir() or folder.is_symlink():
        return
    for entry in sorted(folder.iterdir()):
        if entry in kept:
            continue
        if entry.is_dir() and not entry.is_symlink():
            yield from _files(entry, kept)
        else:
            yield entry


def _remove_empty_folders(folder: Path, kept: set[Path]) -> None:
    if not folder.is_dir():
        return
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink() and entry not in kept:
            _remove_empty_folders(entry, kept)
            if not any(entry.iterdir()):
                entry.rmdir()


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
