"""The agent dies, in a call and idle; and it hangs, which the watchdog has to find."""

from __future__ import annotations

import time

from tests.vm.lab import Lab

SHORT, FRESH, RANK = True, False, 60
SERVICE = "halsorum-agent.service"
BACK_WITHIN_S = 300.0
HANG_WITHIN_S = 90.0


def play(lab: Lab) -> None:
    """kill -9 twice, SIGSTOP once."""
    with lab.trial(
        "agent killed (-9) in a call", "started again by systemd; back in the same call, with pictures"
    ) as trial:
        call, (_, boot) = lab.call, lab.report()
        call.readings(1)
        began = time.monotonic()
        lab.vm.check(f"systemctl kill -s KILL --kill-whom=main {SERVICE}")
        well_s = lab.wait_until_ready(boot, BACK_WITHIN_S, states=("in_session",))
        call.readings(2, BACK_WITHIN_S)
        took_s = time.monotonic() - began
        trial.seen = f"in session again after {well_s:.0f} s, pictures after {took_s:.0f} s"
    with lab.trial("the call is ended", "wiped on the unit, which is well again") as trial:
        lab.hang_up()
        trial.seen = f"wiped; {lab.report()[0]} after {lab.wait_until_ready():.0f} s"
    with lab.trial("agent killed (-9) when idle", "started again by systemd, well at the region") as trial:
        boot = lab.report()[1]
        lab.vm.check(f"systemctl kill -s KILL --kill-whom=main {SERVICE}")
        trial.seen = f"well after {lab.wait_until_ready(boot, BACK_WITHIN_S):.0f} s"
    with lab.trial(
        "agent held still (SIGSTOP): nobody feeds its watchdog", "systemd ends it and starts it again"
    ) as trial:
        boot = lab.report()[1]
        seen_since = lab.vm.check("date '+%Y-%m-%d %H:%M:%S'").strip()
        lab.vm.check(f"systemctl kill -s STOP --kill-whom=main {SERVICE}")
        told = f"journalctl -u {SERVICE} --since '{seen_since}' --no-pager | grep -i 'watchdog timeout'"
        noticed_s = lab.vm.wait_for(
            lambda: lab.vm.run(told).status == 0, "the watchdog's timeout", HANG_WITHIN_S
        )
        well_s = lab.wait_until_ready(boot, BACK_WITHIN_S)
        trial.seen = f"noticed after {noticed_s:.0f} s, well {well_s:.0f} s later"
