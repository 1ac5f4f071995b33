"""Which files of two builds differ: `python -m firmware.image.compare build/vm/root build/again/vm/root`."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

from firmware.image.sbom import sha256_of


def fingerprint(root: Path) -> dict[str, str]:
    """By path: kind, mode, owner, time, and what is in it. A file's content by its SHA-256."""
    found = {}
    for parent, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = Path(parent) / name
            info = path.lstat()
            if stat.S_ISREG(info.st_mode):
                content = sha256_of(path)
            else:
                content = str(path.readlink()) if path.is_symlink() else ""
            said = f"{info.st_mode:o} {info.st_uid}:{info.st_gid} {int(info.st_mtime)} {content}"
            found[str(path.relative_to(root))] = said
    return found


def differences(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """One line per path that is not the same, and how."""
    lines = []
    for path in sorted({*one, *other}):
        first, second = one.get(path), other.get(path)
        if first is None or second is None:
            lines.append(f"{path}: only in the {'second' if first is None else 'first'}")
        elif first != second:
            names = ("mode", "owner", "time", "content")
            pairs = zip(names, first.split(" ", 3), second.split(" ", 3), strict=True)
            lines.append(f"{path}: {', '.join(name for name, a, b in pairs if a != b)}")
    return lines


def main(words: list[str]) -> int:
    """Print what differs; 1 if anything does."""
    one, other = (Path(word) for word in words)
    lines = differences(fingerprint(one), fingerprint(other))
    print("\n".join(lines) if lines else "The same.")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
