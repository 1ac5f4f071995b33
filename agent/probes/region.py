"""Whether the region has answered us."""

from __future__ import annotations

from collections.abc import Callable

from agent.selftest import LOOK_S, Context
from agent.verdict import Verdict, found, well

REGION_WAIT_S = 6.0


class RegionProbe:
    """A Probe. Waits a little, since the link may just be on its way up."""

    name = "region"

    def __init__(self, is_reached: Callable[[], bool]) -> None:
        self._is_reached = is_reached

    async def run(self, context: Context) -> list[Verdict]:
        """One verdict: how long it took, in seconds."""
        waited_s = 0.0
        while not self._is_reached() and waited_s < REGION_WAIT_S and await context.pause(LOOK_S):
            waited_s += LOOK_S
        if self._is_reached():
            return [well("region", waited_s, "s")]
        return [found("region", waited_s, "s", reason="no answer from the region")]
