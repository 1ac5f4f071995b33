"""The touch that chooses where the room is heard."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import get_args

from agent.contract.unit_config import SoundOutput
from agent.screen import Outcome, Touch
from agent.sound_output import SoundOutputs
from agent.unit import Unit


def sound_touches(unit: Unit, sound: SoundOutputs) -> dict[str, Callable[[Touch], Awaitable[Outcome]]]:
    """The handlers by kind of touch."""

    async def output(touch: Touch) -> Outcome:
        wanted = next((each for each in get_args(SoundOutput) if each == touch.text), None)
        if wanted is None:
            return Outcome("bad_request")
        if unit.held() is None:
            return Outcome("not_now")
        return Outcome(None if sound.choose(wanted) else "bad_request")

    return {"output": output}
