"""The steps by which identities are kept on disk; each is whole or not at all after a power cut."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path


class Disk:
    """Ordinary files, written through. Tests put another in its place, which breaks off at any step."""

    def make_folder(self, folder: Path) -> None:
        """A folder for its owner alone; its parents too."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def write(self, file: Path, content: bytes, *, private: bool) -> None:
        """A file that is not there yet, on disk when the call returns."""
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if private else 0o644)
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(descriptor)

    def rename(self, before: Path, after: Path) -> None:
        """Replace `after`, which may be a file or a link, or not there; atomic (rename(2))."""
        before.rename(after)

    def link(self, link: Path, target: str) -> None:
        """A symbolic link that is not there yet."""
        link.symlink_to(target)

    def sync_folder(self, folder: Path) -> None:
        """What was renamed in it stays so."""
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def overwrite(self, file: Path) -> None:
        """Random bytes over its content, in place."""
        size = file.stat().st_size
        with file.open("r+b") as opened:
            opened.write(secrets.token_bytes(size))
            opened.flush()
            os.fsync(opened.fileno())

    def unlink(self, path: Path) -> None:
        """A file or link away; one that is gone is fine."""
        path.unlink(missing_ok=True)

    def remove_folder(self, folder: Path) -> None:
        """An empty folder away."""
        folder.rmdir()


def shred(disk: Disk, path: Path) -> None:
    """A file or a folder of files away, its content overwritten first. On flash memory the old cells may live
    on under the controller; what stays there is a key whose certificate has been replaced."""
    if path.is_symlink() or not path.exists():
        disk.unlink(path)
        return
    if path.is_dir():
        for inner in sorted(path.iterdir()):
            shred(disk, inner)
        disk.remove_folder(path)
        return
    with suppress(OSError):  # a full disk that writes elsewhere: better away than kept
        disk.overwrite(path)
    disk.unlink(path)
