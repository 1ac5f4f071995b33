"""The line is pulled out in a call, and made bad by the kernel's netem."""

from __future__ import annotations

import time

from tests.vm.lab import Lab

SHORT, FRESH, RANK = True, False, 40
AWAY_S = 6
BACK_WITHIN_S = 90.0
NETEM = "delay 80ms 20ms loss 3%"
LEAST_RATE = 0.5
"""Pictures a second: an emulated processor that repeats what was lost has little left for new ones."""
INTERFACE = "$(ls /sys/class/net | grep -v '^lo$' | head -1)"


def play(lab: Lab) -> None:
    """Carrier away and back, then loss and delay on what the unit sends."""
    with lab.trial(
        f"network cable out in a call, in again after {AWAY_S} s", "picture back by itself within 90 s"
    ) as trial:
        call = lab.call
        call.readings(1)
        lab.vm.set_link(False)
        call.page.wait_for_timeout(AWAY_S * 1000)
        stood = call.frames()
        lab.vm.set_link(True)
        began = time.monotonic()
        first_s = call.wait_for_frames(5, BACK_WITHIN_S)
        call.readings(2, BACK_WITHIN_S)
        took_s = time.monotonic() - began
        trial.seen = f"first new picture after {first_s:.1f} s (stood at {stood}), five after {took_s:.1f} s"
    with lab.trial(f"netem in the machine: {NETEM}", "the call goes on, and recovers afterwards") as trial:
        call, whole = lab.call, lab.call.rate()
        lab.vm.check(f"modprobe sch_netem && tc qdisc add dev {INTERFACE} root netem {NETEM}")
        try:
            call.page.wait_for_timeout(2000)
            bad = call.rate(30)
        finally:
            lab.vm.check(f"tc qdisc del dev {INTERFACE} root")
        assert bad >= LEAST_RATE, f"{bad:.1f} pictures a second on the bad line"
        call.readings(3)
        trial.seen = (
            f"{whole:.1f} pictures a second before, {bad:.1f} meanwhile, {call.rate():.1f} afterwards"
        )
