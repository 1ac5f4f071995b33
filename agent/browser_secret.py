"""The secret that lets the room's own browser in: one for each boot of the machine, for its user only."""

from __future__ import annotations

import secrets
import stat
from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def browser_secret(folder: Path, boot_id_file: Path = BOOT_ID) -> str:
    """The secret of this boot, made if there is none yet; a restart of the agent finds the same one again.

    In a set-group-ID folder its group may read it: on a unit that is the kiosk's; elsewhere nobody.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    boot_id = boot_id_file.read_text().strip()
    file = folder / "browser-secret"
    if file.exists():
        kept_boot, _, kept = file.read_text().partition(" ")
        if kept_boot == boot_id and kept:
            return kept
    secret = secrets.token_urlsafe(32)
    new = folder / "browser-secret.new"
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    new.write_text(f"{boot_id} {secret}")
    new.chmod(0o640 if folder.stat().st_mode & stat.S_ISGID else 0o600)
    new.replace(file)
    return secret
