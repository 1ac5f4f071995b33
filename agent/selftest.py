"""The room proves itself: before a session the unit has seen, heard, encoded and reached the region."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

log = logging.getLogger(__name__)

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


Probe = Callable[[], Awaitable[Verdict]]


@dataclass(frozen=True, slots=True)
class SelfTest:
    """All probes' words; the probes that failed are the room's faults."""

    verdicts: tuple[Verdict, ...]

    @property
    def faults(self) -> tuple[str, ...]:
        """Names of the failed probes, in the order they ran."""
        return tuple(verdict.probe for verdict in self.verdicts if not verdict.ok)


async def run(probes: dict[str, Probe]) -> SelfTest:
    """Run probes one after the other (they share the camera); one that raises has failed."""
    verdicts: list[Verdict] = []
    for name, probe in probes.items():
        try:
            verdicts.append(await probe())
        except Exception as error:
            log.warning("probe %s failed: %s", name, type(error).__name__)
            verdicts.append(Verdict(name, ok=False, figure=0.0, unit="", reason=type(error).__name__))
    return SelfTest(tuple(verdicts))


def region_probe(is_reached: Callable[[], bool]) -> Probe:
    """Whether the region has answered us; waits a little, since the link may just be on its way up."""

    async def probe() -> Verdict:
        waited_s = 0.0
        while not is_reached() and waited_s < REGION_WAIT_S:
            await asyncio.sleep(REGION_POLL_S)
            waited_s += REGION_POLL_S
        ok = is_reached()
        return Verdict("region", ok, waited_s, "s", "" if ok else "no answer from the region")

    return probe
