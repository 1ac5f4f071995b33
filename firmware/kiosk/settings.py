"""What the kiosk needs to know, of the agent's own settings file."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DEFAULT_PORT = 8400
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
PATIENCE, PATIENCE_MOST = "HALSORUM_KIOSK_PATIENCE", 16
SECRET, MARK = "browser-secret", "screen-alive"
"""As agent/browser_secret.py and agent/screen_alive.py have them."""


class KioskError(RuntimeError):
    """The kiosk cannot start; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class KioskSettings:
    """port: the agent's pages, on localhost. agent_folder: its run_dir. folder: ours, in memory. patience: how
    many times as long as usual a slow machine is waited for (HALSORUM_KIOSK_PATIENCE)."""

    port: int
    agent_folder: Path
    folder: Path
    patience: int = 1

    @property
    def origin(self) -> str:
        """Of the page."""
        return f"http://localhost:{self.port}"

    @property
    def mark(self) -> Path:
        """The file whose modification time changes whenever a page says that it lives."""
        return self.agent_folder / MARK

    @property
    def profile(self) -> Path:
        """The browser's."""
        return self.folder / "profile"

    @property
    def start_folder(self) -> Path:
        """The starting page's files; the policies allow no other file."""
        return self.folder / "start"

    def secret(self, boot_id_file: Path = BOOT_ID) -> str | None:
        """This boot's, which the agent lays down before it serves pages; None before it has."""
        try:
            boot_id, _, secret = (self.agent_folder / SECRET).read_text().partition(" ")
        except (OSError, UnicodeDecodeError):
            return None
        return secret if secret and boot_id == boot_id_file.read_text().strip() else None


def load_settings(file: Path, folder: Path | None = None) -> KioskSettings:
    """Read the agent's settings file; no `folder` means systemd's RuntimeDirectory=. Raises KioskError."""
    try:
        values: dict[str, Any] = tomllib.loads(file.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise KioskError(
            f"{file} cannot be read: {error}. Give the agent's settings file with --config."
        ) from error
    given = os.environ.get("RUNTIME_DIRECTORY", "")
    if folder is None and not given:
        raise KioskError("There is no folder for the browser's profile: start by systemd, or give --folder.")
    port, state = values.get("web_port", DEFAULT_PORT), values.get("state_dir", "")
    agent_folder = values.get("run_dir") or f"{state}/run"
    if not isinstance(port, int) or not isinstance(agent_folder, str):
        raise KioskError(f"{file}: web_port is a number, run_dir a folder. Correct the lines.")
    patience = os.environ.get(PATIENCE, "1")
    if not patience.isdecimal() or not 1 <= int(patience) <= PATIENCE_MOST:
        raise KioskError(
            f"{PATIENCE} is {patience!r}, not 1 to {PATIENCE_MOST}. Correct it in the service's settings."
        )
    return KioskSettings(port, file.parent / agent_folder, folder or Path(given), int(patience))
