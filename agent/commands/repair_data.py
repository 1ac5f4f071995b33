"""`repair-data`: mend the unit's data partition, as far as that can be done from afar (firmware/data_repair.py).

What it comes to is told before the machine starts anew, since the journal of commands may be gone with the rest:

| `how` | what was done | the machine |
|---|---|---|
| `cleaned` | all but the unit's own store removed from a full partition | goes on |
| `made_anew` | a new file system | starts anew |
| `restart` | nothing yet: it is checked and mended at the next start; then ask again if need be | starts anew |
| `at_restart` | nothing yet: a new file system is made at the next start | starts anew |
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping

from agent.commands.deeds import InTask, Refused
from agent.contract.status import Storage
from agent.helper import Helper, HelperFailed

log = logging.getLogger(__name__)

REPAIRED_WITHIN_S = 115.0
"""A little longer than the helper waits (firmware/helper.py)."""
TOLD_WITHIN_S = 5.0
"""Until the machine starts anew: the region is to hear how it ended."""
GOES_ON = "cleaned"
_restarts: set[asyncio.Task[None]] = set()


def repair_deed(helper: Helper, storage: Callable[[], Storage | None]) -> InTask:
    """A Deed."""

    async def repair() -> Mapping[str, str]:
        now = storage()
        if now is None:
            raise Refused("this unit has no data partition of its own")
        if now.state in {"ok", "repaired"}:
            raise Refused("the unit's data are well; nothing was done")
        try:
            answer = await helper.ask("repair-data", within_s=REPAIRED_WITHIN_S)
        except HelperFailed as error:
            raise Refused(str(error)) from None
        how = str(answer.get("how", ""))[:40]
        if how != GOES_ON:
            task = asyncio.ensure_future(_restart(helper))
            _restarts.add(task)
            task.add_done_callback(_restarts.discard)
        return {"how": how, "was": now.state}

    return InTask(repair)


async def _restart(helper: Helper) -> None:
    await asyncio.sleep(TOLD_WITHIN_S)
    try:
        await helper.ask("reboot")
    except HelperFailed as error:
        log.error("the machine does not start anew after the repair: %s", error)  # noqa: TRY400
