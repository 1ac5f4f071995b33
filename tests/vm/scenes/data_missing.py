"""The data partition is not in the disk's table any more: the unit works from memory, and says what to do."""

from __future__ import annotations

from tests.vm.data import boot_again, repair, wait_until_told
from tests.vm.lab import KIOSK, Lab

SHORT = False
FRESH = True


def play(lab: Lab) -> None:
    """Take its name away, and give it back."""
    lab.power_on("data-missing", hardware=lab.quick(*KIOSK))
    wait_until_told(lab, "ok")
    device = lab.vm.check("readlink -f /dev/disk/by-partlabel/data").strip()
    disk, number = device.rstrip("0123456789"), device[len(device.rstrip("0123456789")) :]
    with lab.trial("the partition's name wiped, power cut", "degraded, storage missing") as trial:
        lab.vm.check(f"sfdisk --no-reread --force --part-label {disk} {number} gone; sync")
        boot_again(lab)
        trial.seen = wait_until_told(lab, "missing")
    with lab.trial("repair-data over the broker", "failed, and says what to do") as trial:
        line = repair(lab)
        assert line["state"] == "failed", line
        trial.seen = line["reason"]
    with lab.trial("the name given back, power cut", "ready, storage ok") as trial:
        lab.vm.check(f"sfdisk --no-reread --force --part-label {disk} {number} data; sync")
        boot_again(lab)
        trial.seen = wait_until_told(lab, "ok")
