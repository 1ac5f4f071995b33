"""The store belongs to a unit of one name: under another, most of what it holds is somebody else's."""

from __future__ import annotations

import logging
from pathlib import Path

from agent.config_kept import kept_values, save
from agent.configuring import Ledger
from agent.contract.unit_config import Config
from agent.store import Store
from agent.way_kept import WayKept

log = logging.getLogger(__name__)

UNIT_KEY = "unit"
OF_THE_MACHINE = ("boot", "alive", "clock_source")


def open_store(path: Path | None, unit: str, way_kept: WayKept | None = None) -> Store:
    """Open the store of the unit of that name; a new one begins with the way to the region as it was kept.

    What was kept under another name goes: its sessions are not ours, and by its revisions we would take neither
    schedule nor configuration. The network stays, since the region let us in over it; the broker is as it said.
    """
    store = Store(path)
    before = store.get(UNIT_KEY)
    if before == unit.encode():
        return store
    with store.transaction():
        if before is not None:
            log.warning("this unit has another name now; what it kept under the old one is removed")
            values = kept_values(store)
            store.begin_anew(keep=OF_THE_MACHINE)
            way = Config().model_copy(update={"network": values.network, "region_ca": values.region_ca})
            save(store, Ledger(values=way))
        elif way_kept is not None and (way := way_kept.kept()) != Config():
            log.warning("this unit's store is new; its way to the region is as it was before")
            save(store, Ledger(values=way))
        store.put(UNIT_KEY, unit.encode())
    store.scrub()
    return store
