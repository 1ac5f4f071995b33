"""What is touched when a meeting has ended: how it worked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from agent.screen import Outcome, Touch
from agent.unit import Unit


def feedback_touches(unit: Unit) -> dict[str, Callable[[Touch], Awaitable[Outcome]]]:
    """The handlers by kind of touch."""

    async def take(touch: Touch) -> Outcome:
        sid = unit.ended_sid
        if sid is None:
            return Outcome("not_now")
        taken = unit.feedback.take(touch.text or "", sid, unit.clock.now().date())
        return Outcome(None if taken else "bad_request")

    return {"feedback": take}
