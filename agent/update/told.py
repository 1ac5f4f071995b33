"""What root's part has written down for the agent to read (firmware/update/service.py)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firmware.update.slots import Slots

RUN = Path("/run/halsorum-update")


@dataclass(frozen=True, slots=True)
class Installation:
    """How far one is; state is `running`, `done` or `failed`."""

    id: str
    state: str
    percent: int
    reason: str


class Told:
    """Both files may be missing: on a board without slots, or before root has spoken."""

    def __init__(self, folder: Path = RUN) -> None:
        self._folder = folder

    def slots(self) -> Slots | None:
        """Which slot runs."""
        told = self._read("status.json")
        try:
            return Slots(**told) if told else None
        except TypeError:
            return None

    def installation(self) -> Installation | None:
        """The last one since the machine's start."""
        told = self._read("install.json")
        try:
            return Installation(
                str(told["id"]), str(told["state"]), int(told["percent"]), str(told["reason"])
            )
        except (KeyError, ValueError, TypeError):
            return None

    def installation_at_s(self) -> float:
        """When it was last said how far that is, of time.time(); 0 when nothing was."""
        try:
            return (self._folder / "install.json").stat().st_mtime
        except OSError:
            return 0.0

    def _read(self, name: str) -> dict[str, Any]:
        try:
            told = json.loads((self._folder / name).read_bytes())
        except (OSError, ValueError):
            return {}
        return told if isinstance(told, dict) else {}


def image_and_slot(folder: Path = RUN) -> dict[str, str]:
    """For `up/info`: the version of the system and the slot that runs, if there are any."""
    slots = Told(folder).slots()
    return {"image": slots.version[:120], "slot": slots.booted} if slots is not None else {}
