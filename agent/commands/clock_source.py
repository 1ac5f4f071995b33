"""`set-clock-source`: where the machine has its time from. The unit itself works by the region's in any case."""

from __future__ import annotations

import logging
from collections.abc import Callable

from agent.commands.deeds import InTask, Refused
from agent.commands.life import Entry
from agent.contract.command_check import servers_of
from agent.helper import Helper, HelperFailed
from agent.store import Store
from agent.unit import Unit

log = logging.getLogger(__name__)

KEY = "clock_source"
NETWORK = "network"


def clock_source(store: Store) -> str:
    """As `up/info` says it: `network`, `region`, or `ntp` and the servers."""
    return (store.get(KEY) or NETWORK.encode()).decode()


def clock_deed(unit: Unit, helper: Helper, entry: Entry, changed_info: Callable[[], None]) -> InTask:
    """A Deed. timesyncd is given the servers first, and only then is it said to be so."""

    async def set_source() -> dict[str, str]:
        source, servers = entry.arguments["source"], servers_of(entry.arguments)
        try:
            await helper.ask("clock", source=source, servers=list(servers))
        except HelperFailed as error:
            raise Refused(f"the time servers were not changed: {error}") from None
        told = " ".join((source, *servers))[:120]
        unit.store.put(KEY, told.encode())
        changed_info()
        return {"source": told}

    return InTask(set_source)


async def set_again(store: Store, helper: Helper) -> None:
    """What the region has set, after a boot: the system's own files are those of its image then."""
    source, *servers = clock_source(store).split()
    if source == NETWORK:
        return
    try:
        await helper.ask("clock", source=source, servers=servers)
    except (HelperFailed, OSError) as error:
        log.warning("the time servers could not be set again: %s", error)
