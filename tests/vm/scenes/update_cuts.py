"""The plug is pulled at ten points of an update: a system that works runs each time after, and all is well."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.vm import boot_loader
from tests.vm.lab import Lab
from tests.vm.screen_stand_in import stand_in
from tests.vm.updates import Shop, in_slot, other, power_on, shop, slot_and_version

SHORT = False
FRESH = True
STEP_WITHIN_S = 1800.0
GRUB_WITHIN_S = 300.0
IN_FIRMWARE_S = 3.0
"""After power on: firmware looks for what to start, and GRUB has not been read yet."""
VERSION = "99.2.1"
WHILE_IT_COMES = (
    ("downloading, 20 %", "running: downloading, [2-9]0 %"),
    ("downloading, 90 %", "running: downloading, 90 %"),
    ("installing has begun", "running: installing, 0 %"),
    ("installing, half", "running: installing, [5-9]0 %"),
)


def play(lab: Lab) -> None:
    """One update is broken off until it has failed, another one in its new system, and the last one is kept."""
    power_on(lab)
    old = slot_and_version(lab)
    new = f"{other(old[0])} {VERSION}"
    with shop(lab) as open_shop:
        given = open_shop.bundle(VERSION)
        sent = open_shop.send(given)
        for what, pattern in WHILE_IT_COMES:
            with lab.trial(f"power cut: {what}", f"{old} runs, and is well") as trial:
                open_shop.wait_for(sent, pattern, STEP_WITHIN_S)
                trial.seen = _cut(lab, old)
        _around_the_restart(lab, open_shop, sent, old, new)
        with lab.trial(
            "power cut: the new system runs, not proven", f"{old} runs, and is well; failed"
        ) as trial:
            sent = _into_new_system(lab, open_shop, given, new)
            trial.seen = f"{_cut(lab, old)}; {open_shop.wait_for(sent, 'failed', STEP_WITHIN_S)}"
        with lab.trial("power cut: just proven", f"{new} runs, and is well; succeeded") as trial:
            sent = _into_new_system(lab, open_shop, given, new)
            stand_in(lab.vm)
            _when(lab, lambda found: found["PROVEN"] == new[0], "the new system proven", STEP_WITHIN_S)
            trial.seen = f"{_cut(lab, new)}; {open_shop.wait_for(sent, 'succeeded', STEP_WITHIN_S)}"


def _around_the_restart(lab: Lab, open_shop: Shop, sent: str, old: str, new: str) -> None:
    """Four cuts, the last of which is the end of this update: its one try is over."""
    slot = new[0]
    with lab.trial("power cut: installed, not made active", f"{old} runs") as trial:
        _when(lab, lambda found: found.get("FILLED") == slot, "all written", STEP_WITHIN_S)
        trial.seen = _cut(lab, old, is_well=False)
    with lab.trial("power cut: made active, not restarted", "the try is still to come") as trial:
        _when(lab, lambda found: found["ORDER"][0] == slot, "made active", STEP_WITHIN_S)
        trial.seen = _cut_before_grub(lab)
    with lab.trial("power cut: in the firmware", "the try is still to come") as trial:
        time.sleep(IN_FIRMWARE_S)
        trial.seen = _cut_before_grub(lab)
    with lab.trial("power cut: GRUB has counted the try", f"{old} runs, and is well; failed") as trial:
        _when(lab, lambda found: found[f"{slot}_TRY"] == "1", "the try counted", GRUB_WITHIN_S)
        trial.seen = f"{_cut(lab, old)}; {open_shop.wait_for(sent, 'failed', STEP_WITHIN_S)}"


def _into_new_system(lab: Lab, open_shop: Shop, given: dict[str, str], new: str) -> str:
    """Another update, undisturbed until the new system takes commands; the region's command."""
    sent = open_shop.send(given)
    open_shop.wait_for(sent, "running: restarting", STEP_WITHIN_S)
    in_slot(lab, new, GRUB_WITHIN_S)
    return sent


def _when(lab: Lab, holds: Callable[[dict[str, str]], bool], what: str, within_s: float) -> None:
    lab.vm.wait_for(lambda: holds(boot_loader.variables(lab.vm)), what, within_s)


def _cut(lab: Lab, expected: str, *, is_well: bool = True) -> str:
    """Pull the plug, and power on; what came up after how long."""
    boots = lab.report()[1]
    lab.vm.power_cut()
    lab.vm.start()
    up_s = lab.come_up()
    now = slot_and_version(lab)
    assert now == expected, now
    if not is_well:
        return f"{now}, up after {up_s:.0f} s"
    lab.wait_until_ready(after_boot=boots)
    return f"{now}, up after {up_s:.0f} s, well after {lab.vm.on_for_s():.0f} s"


def _cut_before_grub(lab: Lab) -> str:
    """Pull the plug, look at the disk, and power on."""
    lab.vm.power_cut()
    found = boot_loader.variables(lab.vm)
    slot = found["ORDER"][0]
    assert found["PROVEN"] != slot and (found[f"{slot}_OK"], found[f"{slot}_TRY"]) == ("1", "0"), found
    lab.vm.start()
    return f"on disk: order {found['ORDER']}, {found['PROVEN']} proven, {slot} not tried"
