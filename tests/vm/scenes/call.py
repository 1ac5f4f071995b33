"""A visit with real devices of the kernel's: vivid is the camera, snd-aloop the sound card."""

from __future__ import annotations

from itertools import pairwise

from tests.vm.lab import Lab
from tests.vm.tone import HEARD, TONE_HZ, play_tone

SHORT, FRESH, RANK = True, False, 10
READINGS = 6
LEAST_RATE = 2.0
"""Pictures a second: it is to move, and nobody expects more of an emulated machine that shares its processors."""


def play(lab: Lab) -> None:
    """Book, check in, let in; picture and sound outside."""
    with lab.trial(
        "booked by FHIR, checked in by code on the unit, let in by a real Chromium outside",
        "the camera's own counter arrives in the picture and grows",
    ) as trial:
        call = lab.call
        readings = call.readings(READINGS)
        assert all(before.number < after.number for before, after in pairwise(readings)), readings
        assert all(before.ms < after.ms for before, after in pairwise(readings)), readings
        rate, (width, height) = call.rate(), call.size()
        assert rate >= LEAST_RATE, f"{rate:.1f} pictures a second"
        numbers = ", ".join(str(each.number) for each in readings)
        trial.seen = f"counter {numbers}; {width}x{height}, {rate:.1f} pictures a second"
    with lab.trial(
        f"a tone of {TONE_HZ} Hz into the sound card's other end", "it is the loudest at the clinician's"
    ) as trial:
        with play_tone(lab.vm):
            heard = lab.call.hears(TONE_HZ)
        assert heard >= HEARD, f"loudest in {heard} looks"
        trial.seen = f"loudest in {heard} looks"
