"""What takes the room in a root file system."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

PARTS = {
    "kernel and initial RAM disk": ("boot",),
    "kernel modules": ("usr/lib/modules",),
    "firmware of devices": ("usr/lib/firmware", "boot/firmware"),
    "Chromium": ("usr/lib/chromium", "usr/share/chromium"),
    "Python packages": ("opt/halsorum/venv",),
    "our programs": ("opt/halsorum/app",),
    "Debian's Python": ("usr/lib/python3.11", "usr/lib/python3"),
    "fonts": ("usr/share/fonts",),
    "speech": ("usr/lib/x86_64-linux-gnu/espeak-ng-data", "usr/lib/aarch64-linux-gnu/espeak-ng-data"),
    "sound": ("usr/share/alsa", "usr/lib/x86_64-linux-gnu/spa-0.2", "usr/lib/x86_64-linux-gnu/pipewire-0.3"),
    "graphics drivers": ("usr/lib/x86_64-linux-gnu/dri", "usr/lib/aarch64-linux-gnu/dri"),
    "other libraries": ("usr/lib",),
    "other programs": ("usr/bin", "usr/sbin", "usr/libexec"),
    "licences": ("usr/share/doc",),
}
OTHER = "everything else"


def by_part(sizes: Mapping[str, int]) -> dict[str, int]:
    """Bytes by part, of files by path; each file counts in the part with the longest fitting folder."""
    result = dict.fromkeys([*PARTS, OTHER], 0)
    for path, size in sizes.items():
        fitting = [
            (len(folder), name)
            for name, folders in PARTS.items()
            for folder in folders
            if path.startswith(folder + "/")
        ]
        result[max(fitting)[1] if fitting else OTHER] += size
    return {name: size for name, size in sorted(result.items(), key=lambda each: -each[1]) if size}


def file_sizes(root: Path) -> dict[str, int]:
    """Of every file below a root, hard links once, by path."""
    seen: set[int] = set()
    found = {}
    for parent, _, files in os.walk(root):
        for name in files:
            path = Path(parent) / name
            info = path.lstat()
            if info.st_ino not in seen:
                seen.add(info.st_ino)
                found[str(path.relative_to(root))] = info.st_size
    return found
