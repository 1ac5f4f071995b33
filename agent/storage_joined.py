"""The storage's health joined to the running agent: what staff see, what the region is told. Wiring only."""

from __future__ import annotations

import os
from pathlib import Path

from agent.commands.busy import why_busy
from agent.contract.status import Storage
from agent.restarting import Restart
from agent.running import Running
from agent.storage import NOTE, WELL, Opened, StorageWatch
from agent.unit import Unit


def join_storage(
    opened: Opened, folder: Path, unit: Unit, running: Running, restart: Restart
) -> StorageWatch:
    """Watch the storage below this folder; its `tick` is to be called once a second."""

    def say(now: Storage) -> None:
        unit.note(NOTE, () if now.state in WELL else (f"data_{now.state}",))

    def changed(now: Storage) -> None:
        say(now)
        running.wire.info_changed()

    watch = StorageWatch(
        opened,
        folder,
        on_change=changed,
        # systemd looks at the folder before it starts us again; without it, the store is in memory then.
        begin_elsewhere=restart.leave if "NOTIFY_SOCKET" in os.environ else restart.ask,
        busy=lambda: why_busy(unit),
        monotonic_s=unit.clock.monotonic_s,
    )
    say(watch.now)
    running.storage_report = lambda: watch.now
    return watch
