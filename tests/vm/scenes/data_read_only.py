"""The data partition's file system finds an error in a running unit and takes no writes (errors=remount-ro)."""

from __future__ import annotations

from tests.vm.data import repair, wait_until_told
from tests.vm.lab import KIOSK, Lab

SHORT = False
FRESH = True


def play(lab: Lab) -> None:
    """Have the kernel inject the error, as ext4's documentation says (sysfs, trigger_fs_error)."""
    lab.power_on("data-read-only", hardware=lab.quick(*KIOSK))
    wait_until_told(lab, "ok")
    with lab.trial("file system error in the data partition", "degraded, storage read_only") as trial:
        lab.vm.check(
            "echo 1 > /sys/fs/ext4/$(basename $(readlink -f /dev/disk/by-partlabel/data))/trigger_fs_error"
        )
        trial.seen = wait_until_told(lab, "read_only")
    with lab.trial("and a minute later", "the agent works from memory, for it can write") as trial:
        written = "findmnt -no FSTYPE /var/lib/halsorum | tail -n1"
        lab.vm.wait_for(lambda: lab.vm.check(written).strip() == "tmpfs", "memory in its place", 240)
        trial.seen = wait_until_told(lab, "read_only")
    with lab.trial("repair-data over the broker", "succeeded: restart, then mended and ready") as trial:
        before = lab.vm.boot_id()
        line = repair(lab)
        assert (line["state"], line["result"].get("how")) == ("succeeded", "restart"), line
        lab.vm.wait_for_restart(before)
        lab.come_up()
        lab.wait_until_ready()
        found = lab.vm.check("cat /run/halsorum-data/state.json").strip()
        trial.seen = f"ready again; at boot {found}"
