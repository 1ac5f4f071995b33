"""The sound card is pulled out in a call, and put back."""

from __future__ import annotations

import time

from tests.vm.lab import Lab
from tests.vm.tone import HEARD, TONE_HZ, play_tone

SHORT, FRESH, RANK = True, False, 30
DRIVER = "/sys/bus/platform/drivers/snd_aloop"
AWAY_S = 5
BACK_WITHIN_S = 90.0


def play(lab: Lab) -> None:
    """Unbind snd-aloop from its device: to PipeWire it is a USB sound card that is gone."""
    with lab.trial(
        f"sound card unbound in a call, back after some {AWAY_S} s",
        "the picture goes on, the room is heard again by itself, nothing is restarted",
    ) as trial:
        call, (_, boot) = lab.call, lab.report()
        started = lab.vm.check("systemctl show -P NRestarts halsorum-audio.service")
        lab.vm.check(f"echo snd_aloop.0 > {DRIVER}/unbind", timeout_s=60)
        call.wait_for_frames(5)
        call.page.wait_for_timeout(AWAY_S * 1000)
        assert (silent := call.hears(TONE_HZ)) <= 1, f"heard {silent} times without a card"
        lab.vm.check(f"echo snd_aloop.0 > {DRIVER}/bind", timeout_s=60)
        began = time.monotonic()
        with play_tone(lab.vm):
            while (heard := call.hears(TONE_HZ)) < HEARD:
                assert time.monotonic() < began + BACK_WITHIN_S, f"the tone was the loudest {heard} times"
        took_s = time.monotonic() - began
        assert lab.report()[1] == boot, "the agent was restarted"
        assert lab.vm.check("systemctl show -P NRestarts halsorum-audio.service") == started, (
            "audio restarted"
        )
        trial.seen = f"heard in {heard} looks, {took_s:.0f} s after the card was back (listening included)"
