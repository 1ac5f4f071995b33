"""The secret that lets the room's own browser in: one for each boot of the machine, for its user only."""

from __future__ import annotations

import secrets
from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def browser_secret(folder: Path, boot_id_file: Path = BOOT_ID) -> str:
    """The secret of this boot, made if there is none yet; a restart of the agent finds the same one again."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    boot_id = boot_id_file.read_text().strip()
    file = folder / "browser-secret"
    if file.exists():
        kept_boot, _, kept = file.read_text().partition(" ")
        if kept_boot == boot_id and kept:
            return kept
    secret = secrets.token_urlsafe(32)
    file.touch(mode=0o600)
    file.write_text(f"{boot_id} {secret}")
    return secret
