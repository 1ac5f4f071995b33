"""Which slot runs, which is proven, and what the other holds: from the kernel's command line, GRUB, os-release."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

_BOOTED = re.compile(r"(?:^|\s)rauc\.slot=([AB])(?:\s|$)")
OTHER = {"A": "B", "B": "A"}


@dataclass(frozen=True, slots=True)
class Slots:
    """booted: `A` or `B`, empty where no slot was booted (a board without them).

    tried: the other slot was booted and has not proven itself. filled: a bundle is wholly written there.
    """

    booted: str
    proven: str
    compatible: str
    version: str
    tried: bool = False
    filled: bool = False

    @property
    def other(self) -> str:
        """The slot that does not run."""
        return OTHER.get(self.booted, "")

    @property
    def is_proven(self) -> bool:
        """Whether what runs needs no further proof."""
        return self.booted == self.proven

    def told(self) -> dict[str, Any]:
        """For status.json, which the agent reads."""
        return asdict(self)


def slots(command_line: str, release: Mapping[str, str], variables: Mapping[str, str]) -> Slots:
    """Pure. variables: GRUB's; release: os-release's."""
    found = _BOOTED.search(command_line)
    booted = found[1] if found else ""
    other = OTHER.get(booted, "")
    return Slots(
        booted=booted,
        proven=variables.get("PROVEN", ""),
        compatible=release.get("IMAGE_ID", ""),
        version=release.get("IMAGE_VERSION", ""),
        tried=variables.get(f"{other}_OK") == "1" and variables.get(f"{other}_TRY") == "1",
        filled=bool(other) and variables.get("FILLED") == other,
    )
