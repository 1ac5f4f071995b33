"""The camera is pulled out in a call, and put back."""

from __future__ import annotations

import time

from tests.vm.lab import Lab

SHORT, FRESH, RANK = True, False, 20
DRIVER = "/sys/bus/platform/drivers/vivid"
AWAY_S = 8
BACK_WITHIN_S = 90.0


def play(lab: Lab) -> None:
    """Unbind vivid from its device: to the agent it is a USB camera that is gone."""
    with lab.trial(
        f"camera unbound in a call, back after {AWAY_S} s",
        "the call goes on, the picture comes back by itself, the agent is not restarted",
    ) as trial:
        call, (_, boot) = lab.call, lab.report()
        before = call.readings(1)[0]
        lab.vm.check(f"echo vivid.0 > {DRIVER}/unbind; ! ls /dev/video0 2>/dev/null", timeout_s=30)
        call.page.wait_for_timeout(AWAY_S * 1000)
        lab.vm.check(f"echo vivid.0 > {DRIVER}/bind; ls /dev/video0", timeout_s=30)
        began = time.monotonic()
        # A camera that was put back counts from nought.
        while (after := call.readings(1, BACK_WITHIN_S)[0]).number >= before.number:
            assert time.monotonic() < began + BACK_WITHIN_S, f"the counter stays at {after.number}"
        took_s = time.monotonic() - began
        assert lab.report()[1] == boot, "the agent was restarted"
        trial.seen = f"counter {before.number} before, {after.number} again {took_s:.1f} s after it was back"
