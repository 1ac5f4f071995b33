"""The data partition is full at boot: the unit lives on its reserve, and makes room when the region says so."""

from __future__ import annotations

from tests.vm.data import at_boot, boot_again, repair, told, wait_until_told
from tests.vm.lab import KIOSK, Lab

SHORT = False
FRESH = True
FILL = (
    "fallocate -l $(df --output=avail -B1 /data | tail -n1) /data/filler; "
    "dd if=/dev/zero of=/data/rest bs=4k; sync"
)


def play(lab: Lab) -> None:
    """Fill it, pull the plug, and see."""
    lab.power_on("data-full", hardware=lab.quick(*KIOSK))
    wait_until_told(lab, "ok")
    with lab.trial("data partition filled to the last block, power cut", "degraded, storage full") as trial:
        lab.vm.run(FILL, timeout_s=120)
        boot_again(lab)
        assert at_boot(lab)["state"] == "full", at_boot(lab)
        trial.seen = wait_until_told(lab, "full")
    with lab.trial("repair-data over the broker", "succeeded: cleaned, ready without a restart") as trial:
        before, boot = lab.vm.boot_id(), lab.report()[1]
        line = repair(lab)
        assert (line["state"], line["result"].get("how")) == ("succeeded", "cleaned"), line
        seen = wait_until_told(lab, "ok")
        assert (lab.vm.boot_id(), lab.report()[1]) == (before, boot)
        trial.seen = f"{seen}, {told(lab)[2]['free_bytes'] >> 20} MiB free"
