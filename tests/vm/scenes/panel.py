"""Buttons and lamps on real GPIO lines: an adapter that the kernel drives, set over MQTT, pressed, unplugged."""

from __future__ import annotations

import json
from pathlib import Path

from provisioning.models import UnitReport
from tests.system.region_hand import RegionHand
from tests.system.visit import database
from tests.vm import cp2112
from tests.vm.lab import Lab

SHORT, FRESH, RANK = False, False, 55
FOLDER = "/run/cp2112"
PINS = {
    "chip": "cp2112_gpio",
    "camera_lamp": 0,
    "door_lamp": -1,
    "door_red": 1,
    "door_green": 2,
    "help_button": 3,
    "mute_button": 4,
    "mute_lamp": 5,
    "start_button": 6,
    "help_lamp": 7,
    "buzzer": -1,
}
APPLIED_WITHIN_S = 240.0
SEEN_WITHIN_S = 90.0
HELD_S = 1.0
"""Long enough for an emulated machine: the driver asks for the lines every 10 jiffies (hid-cp2112.c)."""


def play(lab: Lab) -> None:
    """Plug in, look, press, unplug."""
    hand = RegionHand(lab.stack)
    with lab.trial(
        "USB GPIO adapter plugged in, its pins set over MQTT",
        "applied; real lines; the door's lamp says free",
    ) as trial:
        lab.vm.put(f"{FOLDER}.py", Path(cp2112.__file__))
        plug_in(lab)
        wanted = hand.set(panel=PINS)
        took_s = lab.vm.wait_for(
            lambda: (hand.report().state, hand.report().wanted_rev) == ("applied", wanted),
            f"pins applied ({hand.report()})",
            APPLIED_WITHIN_S,
        )
        board = json.loads(lab.vm.run("halsorum board --json", timeout_s=120).out)
        chips = next(part["found"] for part in board["parts"] if part["part"] == "panel")
        assert any("cp2112_gpio" in chip for chip in chips), chips
        free_s = lab.vm.wait_for(lambda: is_lit(lab, 2), "a green flash", SEEN_WITHIN_S)
        trial.seen = f"applied after {took_s:.0f} s, {', '.join(chips)}; green after {free_s:.0f} s"
    with lab.trial("help button pressed", "help lamp and the door's fast red, on real lines") as trial:
        press(lab, PINS["help_button"])
        lit_s = lab.vm.wait_for(lambda: is_lit(lab, 7), "the help lamp", SEEN_WITHIN_S)
        red_s = lab.vm.wait_for(lambda: is_lit(lab, 1), "the door's red", SEEN_WITHIN_S)
        trial.seen = f"help lamp after {lit_s:.0f} s, door red after {red_s:.0f} s more"
    with lab.trial("adapter unplugged, plugged in again", "told as a fault, room in use; mended") as trial:
        lab.vm.check("systemctl stop cp2112")
        told_s = lab.vm.wait_for(lambda: "panel" in faults(lab), "fault panel at the region", SEEN_WITHIN_S)
        plug_in(lab)
        wanted = hand.set(panel={**PINS, "mute_lamp": -1})
        lab.vm.wait_for(lambda: hand.report().wanted_rev == wanted, "the change", APPLIED_WITHIN_S)
        well_s = lab.vm.wait_for(lambda: "panel" not in faults(lab), "the panel well", APPLIED_WITHIN_S)
        trial.seen = f"told after {told_s:.0f} s, well {well_s:.0f} s after it was back"
    hand.set(panel=None)


def plug_in(lab: Lab) -> None:
    """The adapter, until its service is stopped; line 7 is an output here, and rests low."""
    lab.vm.check("modprobe -a uhid hid_cp2112")
    lab.vm.check(f"systemd-run --collect --unit=cp2112 python3 {FOLDER}.py {FOLDER} 7")
    lab.vm.wait_for(lambda: lab.vm.run("ls /dev/gpiochip*").status == 0, "the adapter's chip", SEEN_WITHIN_S)


def press(lab: Lab, line: object) -> None:
    """Hold a line to ground for a while."""
    lab.vm.check(f"echo {line} > {FOLDER}/pressed; sleep {HELD_S}; : > {FOLDER}/pressed")


def is_lit(lab: Lab, line: int) -> bool:
    """Whether a line was high within the last seconds: a lamp in a rhythm is dark for most of the time."""
    look = f"for n in $(seq 60); do grep -qw {line} {FOLDER}/levels && exit 0; sleep 0.05; done; exit 1"
    return lab.vm.run(look).status == 0


def faults(lab: Lab) -> list[str]:
    """Instructions of the faults that the region holds."""
    with database(lab.stack) as db:
        found = db.get(UnitReport, lab.unit)
        return [] if found is None else [str(fault["instruction"]) for fault in found.faults]
