"""The plug is pulled at ten points of an update: a proven system runs each time afterwards, and all is well."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.vm.lab import Lab
from tests.vm.updates import Shop, grub_variables, in_slot, shop, slot_and_version, up_after_cut

SHORT = False
FRESH = True
STEP_WITHIN_S = 1800.0
INSTALL_MARKS = (0, 30, 60, 90)
GRUB_AND_KERNEL_S = 12.0
"""Into a boot: GRUB has counted the try, the kernel has begun."""


def play(lab: Lab) -> None:
    """One update is broken off until it has failed, a second one is broken off and kept."""
    lab.wait_until_ready()
    with shop(lab) as open_shop:
        given = open_shop.bundle("99.2.1")
        open_shop.server.pace_s = 0.05  # a line on which there is time to pull a plug
        sent = open_shop.send(given)
        _cut(lab, open_shop, sent, "downloading", "running: downloading, [1-9]0 %", "A")
        open_shop.server.pace_s = 0.0
        for mark in INSTALL_MARKS:
            _cut(
                lab,
                open_shop,
                sent,
                f"installing, {mark} %",
                f"running: installing, ([{mark // 10}-9].|{mark}) %",
                "A",
            )
        _cut_when(lab, "installed, not active", "A", lambda: grub_variables(lab).get("FILLED") == "B")
        _cut_when(
            lab,
            "active, not restarted",
            "AB",
            lambda: grub_variables(lab)["ORDER"] == "B A",
            GRUB_AND_KERNEL_S,
        )
        with lab.trial("what became of the first", "failed, old slot") as trial:
            trial.seen = open_shop.wait_for(sent, "failed", STEP_WITHIN_S)["reason"]
            assert slot_and_version(lab)[0] == "A"
        sent = open_shop.send(given)
        in_slot(lab, "B", STEP_WITHIN_S)
        _cut_when(lab, "new system, not proven", "A", lambda: True)
        with lab.trial("what became of the second", "failed, old slot") as trial:
            trial.seen = open_shop.wait_for(sent, "failed", STEP_WITHIN_S)["reason"]
        sent = open_shop.send(given)
        in_slot(lab, "B", STEP_WITHIN_S)
        _cut_when(lab, "just proven", "B", lambda: grub_variables(lab)["PROVEN"] == "B", GRUB_AND_KERNEL_S)
        with lab.trial("what became of the third", "succeeded, new slot") as trial:
            open_shop.wait_for(sent, "succeeded", STEP_WITHIN_S)
            trial.seen = slot_and_version(lab)
            assert trial.seen == "B 99.2.1"


def _cut(lab: Lab, open_shop: Shop, sent: str, what: str, pattern: str, slots: str) -> None:
    with lab.trial(f"power cut: {what}", f"up again in slot {slots}, and well") as trial:
        open_shop.wait_for(sent, pattern, STEP_WITHIN_S)
        trial.seen = _again(lab, slots)


def _cut_when(
    lab: Lab, what: str, slots: str, happened: Callable[[], bool], cut_again_after_s: float = 0.0
) -> None:
    with lab.trial(f"power cut: {what}", f"up again in slot {slots}, and well") as trial:
        lab.vm.wait_for(happened, what, STEP_WITHIN_S)
        trial.seen = _again(lab, slots, cut_again_after_s)


def _again(lab: Lab, slots: str, cut_again_after_s: float = 0.0) -> str:
    boots = lab.report()[1]
    began = time.monotonic()
    up_after_cut(lab, cut_again_after_s)
    up_s = time.monotonic() - began
    now = slot_and_version(lab)
    assert now[0] in slots, now
    ready_s = lab.wait_until_ready(after_boot=boots)
    return f"slot {now}, up after {up_s:.0f} s, well after {up_s + ready_s:.0f} s"
