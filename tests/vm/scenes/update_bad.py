"""Bad updates: whatever is wrong with the new system, the old one is back by itself within 15 minutes."""

from __future__ import annotations

import time

from tests.vm import boot_loader
from tests.vm.lab import Lab
from tests.vm.updates import (
    BAD_CHANGES,
    Shop,
    grub_variables,
    in_slot,
    other,
    power_on,
    shop,
    slot_and_version,
)

SHORT = False
FRESH = True
UPDATE_WITHIN_S = 1800.0
BACK_WITHIN_S = 900.0
"""From the new system's start, which GRUB writes down, to an old one that takes commands. Firmware and GRUB, which
take seconds of a unit, are emulated in minutes."""


def play(lab: Lab) -> None:
    """One whose agent does not start, and a system without init."""
    power_on(lab)
    with shop(lab) as open_shop:
        for number, (name, change) in enumerate(BAD_CHANGES.items(), 1):
            with lab.trial(f"a bad update: {name}", "the old slot within 900 s, command failed") as trial:
                trial.seen = _comes_back(lab, open_shop, open_shop.bundle(f"99.1.{number}", change))


def _comes_back(lab: Lab, open_shop: Shop, given: dict[str, str]) -> str:
    before = slot_and_version(lab)
    sent = open_shop.send(given)
    open_shop.wait_for(sent, "running: restarting", UPDATE_WITHIN_S)
    tried = f"{other(before[0])}_TRY"
    lab.vm.wait_for(lambda: boot_loader.variables(lab.vm).get(tried) == "1", "the new system's try", 300)
    began = time.monotonic()
    in_slot(lab, before[0], BACK_WITHIN_S)
    back_s = time.monotonic() - began
    reason = open_shop.wait_for(sent, "failed", UPDATE_WITHIN_S)
    assert slot_and_version(lab) == before
    assert grub_variables(lab)["PROVEN"] == before[0]
    return f"{before} {back_s:.0f} s after the new one's start; {reason}"
