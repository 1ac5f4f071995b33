"""The data partition is garbage at boot: the unit comes up, says so, and is repaired from the region."""

from __future__ import annotations

from tests.vm.data import DEVICE, at_boot, boot_again, repair, told, wait_until_told
from tests.vm.lab import KIOSK, Lab

SHORT = False
FRESH = True
NOISE = (
    "head -c 8M /dev/urandom > /run/noise; for i in $(seq 75); do cat /run/noise; done | "
    f"dd of={DEVICE} bs=1M iflag=fullblock oflag=direct conv=notrunc"
)
"""Over 600 MiB: superblock, its first copies, and the journal."""


def play(lab: Lab) -> None:
    """Overwrite it while the machine runs, pull the plug, and see."""
    lab.power_on("data-garbage", hardware=lab.quick(*KIOSK))
    with lab.trial("a whole data partition", "ready, storage ok") as trial:
        trial.seen = wait_until_told(lab, "ok")
    with lab.trial("data partition overwritten with noise, power cut", "degraded, storage garbage") as trial:
        lab.vm.check(NOISE, timeout_s=300)
        boot_again(lab)
        assert at_boot(lab)["state"] == "garbage", at_boot(lab)
        trial.seen = wait_until_told(lab, "garbage")
    with lab.trial("repair-data over the broker", "succeeded: made_anew, and ready after a restart") as trial:
        before = lab.vm.boot_id()
        line = repair(lab)
        assert (line["state"], line["result"].get("how")) == ("succeeded", "made_anew"), line
        took_s = lab.vm.wait_for_restart(before)
        lab.come_up()
        trial.seen = f"{line['result']}; up again after {took_s:.0f} s; {wait_until_told(lab, 'ok')}"
    with lab.trial("repair-data where nothing is wrong", "refused, nothing done") as trial:
        line = repair(lab)
        assert (line["state"], told(lab)[2]["state"]) == ("failed", "ok"), line
        trial.seen = line["reason"]
