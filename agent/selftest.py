"""The room proves itself: before a session the unit has seen, heard, encoded and reached the region."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

REGION_WAIT_S = 6.0
REGION_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Verdict:
    """One probe's word: `figure` in `unit`, and why when it is not ok."""

    probe: str
    ok: bool
    figure: float
    unit: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SelfTest:
    """All probes' words; the probes that failed are the room's faults."""

    verdicts: tuple[Verdict, ...]

    @property
    def faults(self) -> tuple[str, ...]:
        """Names of the failed probes, in the order they ran."""
        return tuple(verdict.probe for verdict in self.verdicts if not verdict.ok)


async def region(is_reached: Callable[[], bool]) -> Verdict:
    """Whether the region has answered us; waits a little, since the link may just be on its way up."""
    waited_s = 0.0
    while not is_reached() and waited_s < REGION_WAIT_S:
        await asyncio.sleep(REGION_POLL_S)
        waited_s += REGION_POLL_S
    ok = is_reached()
    return Verdict("region", ok, waited_s, "s", "" if ok else "no answer from the region")
