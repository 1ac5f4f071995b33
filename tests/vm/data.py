"""What the scenes of the data partition share: how the unit says it, and how it is repaired over the broker."""

from __future__ import annotations

import json
import time
from typing import Any

from provisioning.models import UnitReport
from tests.system.visit import command, database
from tests.vm.lab import WELL, Lab

DEVICE = "$(readlink -f /dev/disk/by-partlabel/data)"
"""In the machine; after a label is wiped, the device itself is to be named."""
REPAIRED_WITHIN_S = 180.0
SAID_WITHIN_S = 300.0


def told(lab: Lab) -> tuple[str, list[str], dict[str, Any]]:
    """What the region holds of the unit: its state, what its faults ask for, and its storage."""
    with database(lab.stack) as db:
        found = db.get(UnitReport, lab.unit)
        if found is None:
            return "unknown", [], {}
        return (
            found.state,
            [str(fault["instruction"]) for fault in found.faults],
            found.info.get("storage") or {},
        )


def wait_until_told(lab: Lab, storage: str, within_s: float = SAID_WITHIN_S) -> str:
    """Until the region holds the unit's storage in that state; what it holds, in words."""
    is_well = storage in {"ok", "repaired"}

    def is_told() -> bool:
        state, parts, said = told(lab)
        if said.get("state") != storage:
            return False
        # Of a slow emulated processor the self-test may warn, and that is no fault of the disk.
        return state in WELL and "disk" not in parts if is_well else state == "degraded" and "disk" in parts

    lab.vm.wait_for(is_told, f"storage {storage} at the region (now {told(lab)})", within_s)
    state, _, said = told(lab)
    return f"{state}, storage {storage}" + (f": {said['reason']}" if said.get("reason") else "")


def repair(lab: Lab) -> dict[str, Any]:
    """`repair-data` by the region's command line; the command when it is over."""
    sent = command(lab.stack, "command", "send", lab.unit, "repair-data", "--timeout", "3m")
    until = time.monotonic() + REPAIRED_WITHIN_S
    while True:
        line: dict[str, Any] = command(lab.stack, "command", "show", sent["id"])
        if line["state"] not in {"sent", "accepted", "running"} or time.monotonic() > until:
            return line
        time.sleep(2)


def boot_again(lab: Lab) -> None:
    """Pull the plug, and power on."""
    lab.vm.power_cut()
    lab.vm.start()
    lab.come_up()


def at_boot(lab: Lab) -> dict[str, Any]:
    """What the machine's own service found."""
    found: dict[str, Any] = json.loads(lab.vm.check("cat /run/halsorum-data/state.json"))
    return found
