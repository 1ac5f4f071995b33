"""`repair-data`, as root: room on a full data partition, or a new file system where there is none to be used.

`python -S -m firmware.data_repair`, by systemd/halsorum-data-repair.service, when the agent has asked its helper.
It touches the partition that firmware/data_disk.py finds and no other, and leaves alone what is well. How it ended
stands in /run/halsorum-data/repair.json.
"""

from __future__ import annotations

import json
import shutil
import sys
from contextlib import suppress
from pathlib import Path

from firmware.data_disk import Mount, Partition, find_data, free_bytes, mounts, number_of, total_bytes
from firmware.data_partition import MAKE_ANEW, DataPartition, Places, write_fault
from firmware.data_state import How, enough, how_to_repair
from firmware.programs import Run, run_program

RESULT = "repair.json"
KEPT = frozenset(
    {"unit.db", "unit.db-wal", "unit.db-shm", "network", "helper", "run", "wipe.json", "wiped.json"}
)
"""Of the agent's own: what happened here and is not told yet, the network that it is told over, the screen's key,
and whether this unit is in service."""


class CannotRepair(RuntimeError):
    """It cannot or need not be repaired from here; the text says why, and what to do."""


def repair(partition: Partition | None, places: Places, run: Run = run_program) -> How:
    """Do what can be done now; how. Raises CannotRepair, or OSError."""
    if partition is None:
        raise CannotRepair("the unit's disk has no partition named data; write its image anew")
    if partition.is_read_only:
        raise CannotRepair(f"{partition.device} takes no writes at all; replace the disk or card")
    mounted = where_mounted(partition, mounts(places.proc))
    # A service that is confined sees its own mounts, in an order of their own: what was bound may come first.
    whole = next((mount for mount in mounted if mount.place == places.data), None)
    is_mounted = whole is not None
    if mounted and not is_mounted:
        raise CannotRepair(f"{partition.device} is in use at {mounted[0].place}; nothing was done")
    is_writable = whole is not None and "ro" not in whole.options and _takes_writes(places.data)
    if is_writable and _has_room(places.data):
        raise CannotRepair("the data partition is well; nothing was done")
    if is_writable:
        clean(places.data)
    how = how_to_repair(
        is_mounted=is_mounted, is_writable=is_writable, has_room=is_writable and _has_room(places.data)
    )
    if how == "made_anew":
        fault = DataPartition(places, run).make(partition)
        if fault:
            raise CannotRepair(f"no file system could be made on {partition.device}: {fault}")
    elif how == "at_restart":
        (places.data / MAKE_ANEW).touch()
    return how


def where_mounted(partition: Partition, all_mounts: list[Mount]) -> list[Mount]:
    """Its mounts, and what is bound from it elsewhere."""
    number = number_of(partition.device)
    return [mount for mount in all_mounts if number and mount.device == number]


def clean(data: Path) -> None:
    """All away but the agent's store: bundles, journals, and whatever filled it."""
    for top in data.iterdir():
        inner = list(top.iterdir()) if top.is_dir() and not top.is_symlink() else [top]
        for path in inner:
            if not (top.name == "agent" and path.name in KEPT):
                _away(path)


def _away(path: Path) -> None:
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _takes_writes(data: Path) -> bool:
    fault = write_fault(data)
    return fault is None or fault[0] == "full"


def _has_room(data: Path) -> bool:
    return free_bytes(data) >= enough(total_bytes(data))


def main() -> int:
    """Repair, and write down how it ended."""
    places = Places()
    said: dict[str, str]
    try:
        said = {"how": repair(find_data(places.sys, places.proc, places.dev), places), "reason": ""}
    except CannotRepair as error:
        said = {"how": "", "reason": str(error)}
    except OSError as error:
        said = {"how": "", "reason": f"{type(error).__name__}: {error.strerror}"}
    places.run.mkdir(parents=True, exist_ok=True)
    (places.run / RESULT).write_text(json.dumps(said))
    sys.stderr.write(f"repair-data: {said['how'] or said['reason']}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
