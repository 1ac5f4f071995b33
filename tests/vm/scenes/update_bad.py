"""Bad updates: whatever is wrong with the new system, the old one is back by itself within 15 minutes."""

from __future__ import annotations

import time

from tests.vm.lab import Lab
from tests.vm.updates import BAD_CHANGES, grub_variables, in_slot, shop, slot_and_version

SHORT = False
FRESH = True
UPDATE_WITHIN_S = 1800.0
BACK_WITHIN_S = 900.0


def play(lab: Lab) -> None:
    """A system without init, and one whose agent does not start."""
    lab.wait_until_ready()
    before = slot_and_version(lab)
    with shop(lab) as open_shop:
        for number, (name, change) in enumerate(BAD_CHANGES.items(), 1):
            with lab.trial(f"a bad update: {name}", "the old slot within 900 s, command failed") as trial:
                sent = open_shop.send(open_shop.bundle(f"99.1.{number}", change))
                open_shop.wait_for(sent, "running: restarting", UPDATE_WITHIN_S)
                began, boot = time.monotonic(), lab.vm.boot_id()
                lab.vm.wait_for_restart(boot, BACK_WITHIN_S)
                in_slot(lab, before[0], BACK_WITHIN_S - (time.monotonic() - began))
                back_s = time.monotonic() - began
                line = open_shop.wait_for(sent, "failed", UPDATE_WITHIN_S)
                assert slot_and_version(lab) == before
                assert grub_variables(lab)["PROVEN"] == before[0]
                assert back_s < BACK_WITHIN_S
                trial.seen = f"{before} after {back_s:.0f} s; {line['reason']}"
