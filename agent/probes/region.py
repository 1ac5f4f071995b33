"""Whether the region answers now, and how long the broker takes."""

from __future__ import annotations

from collections.abc import Callable

from agent.link import ANSWER_WITHIN_S
from agent.selftest import LOOK_S, Context
from agent.verdict import Verdict, found, well

REGION_WAIT_S = 6.0
WAIT_AGAIN_S = 2.0
"""The second time in one test: the first has waited long enough for a link that was on its way up."""
SLOW_MS = ANSWER_WITHIN_S * 1000 / 2
"""Half of the time after which a broker in doubt is taken for unreachable: were it twice as slow, a call's link
would be torn down. A line by satellite stays below, with 0.6 s."""


class RegionProbe:
    """A Probe. Waits a little, since the link may just be on its way up.

    is_up: whether the broker is connected. nudge() says something that the region acknowledges; has_heard_since()
    whether it has, over this connection. now_s: that clock. round_trip_ms: of what the broker last acknowledged.
    """

    name = "region"

    def __init__(
        self,
        *,
        is_up: Callable[[], bool],
        nudge: Callable[[], None],
        now_s: Callable[[], float],
        has_heard_since: Callable[[float], bool],
        round_trip_ms: Callable[[], float | None],
    ) -> None:
        self._is_up, self._nudge = is_up, nudge
        self._now_s, self._has_heard_since = now_s, has_heard_since
        self._round_trip_ms = round_trip_ms
        self._tried: Context | None = None

    async def run(self, context: Context) -> list[Verdict]:
        """One verdict: a message's way to the broker and back, in ms."""
        left_s = WAIT_AGAIN_S if context is self._tried else REGION_WAIT_S
        self._tried, began_s, nudged = context, self._now_s(), False
        while not self._has_heard_since(began_s) and left_s > 0:
            if self._is_up() and not nudged:
                nudged = True
                self._nudge()
            if not await context.pause(LOOK_S):
                return []
            left_s -= LOOK_S
        return [self._judge(began_s)]

    def _judge(self, began_s: float) -> Verdict:
        if not self._has_heard_since(began_s):
            whose = "the region's service" if self._is_up() else "the broker"
            return found("region", reason=f"no answer from {whose}")
        took_ms = self._round_trip_ms() or 0.0
        if took_ms > SLOW_MS:
            reason = f"the broker took {took_ms:.0f} ms, and should take less than {SLOW_MS:.0f}"
            return found("region_slow", took_ms, "ms", reason=reason)
        return well("region", took_ms, "ms")
