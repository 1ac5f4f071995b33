"""The room proves itself, on the kernel's own devices: each is taken away, and told with the one thing to do.

What these devices are is part of what is expected. The loop of a sound card (snd-aloop) does not carry to its
microphone what it plays: that comes out at its other end, and what the laboratory plays into that is what it
hears. No echo canceller runs here either, so of the loudspeaker all that can be told is that the chirp was played
to it. vivid's bars are sharp and light, and its running counter is what moves in them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.vm import thermometer
from tests.vm.lab import Lab
from tests.vm.scenes.camera import DRIVER as VIVID
from tests.vm.scenes.sound import DRIVER as LOOP
from tests.vm.selftests import Tested, by_hand, last, selftest, wait_until_gone, wait_until_known
from tests.vm.tone import PLAYER, furnish

SHORT, FRESH, RANK = False, False, 56
EVERY_TIME = frozenset(
    {"camera", "certificate", "clock", "disk", "encoder", "microphone", "network", "region", "turn"}
)
"""Probes that have something to say here; the page and the touch are asked of machines with a kiosk alone."""
BY_NATURE = frozenset({"encoder_slow", "region_slow"})
"""What an emulated processor may lack, and does not keep visits out."""
PLAYED_ONLY = "dBFS played"
BLACK, BARS, NO_TEXT, ALL_TEXT = 5, 0, 2, 0
"""Of vivid's menus test_pattern and osd_text_mode."""
COOL_C, HOT_C = 45.0, 91.0


@dataclass(frozen=True)
class Fault:
    """One thing that is made wrong, what the room then lacks, and how it is mended."""

    did: str
    instruction: str
    breaks: Callable[[Lab], object]
    mends: Callable[[Lab], object]


def shows(pattern: int, text: int) -> Callable[[Lab], object]:
    """What vivid draws from now on."""
    line = f"v4l2-ctl -d /dev/video0 --set-ctrl test_pattern={pattern},osd_text_mode={text}"
    return lambda lab: lab.vm.check(line)


FAULTS = (
    Fault(
        "camera unbound",
        "camera",
        lambda lab: lab.vm.check(f"echo vivid.0 > {VIVID}/unbind", timeout_s=60),
        lambda lab: lab.vm.check(f"echo vivid.0 > {VIVID}/bind", timeout_s=60),
    ),
    Fault("all pictures are the same", "camera_frozen", shows(BARS, NO_TEXT), shows(BARS, ALL_TEXT)),
    Fault("black pictures", "camera_covered", shows(BLACK, NO_TEXT), shows(BARS, ALL_TEXT)),
    Fault(
        "sound card unbound",
        "microphone",
        lambda lab: lab.vm.check(f"echo snd_aloop.0 > {LOOP}/unbind", timeout_s=60),
        lambda lab: lab.vm.check(f"echo snd_aloop.0 > {LOOP}/bind", timeout_s=60),
    ),
    Fault(
        "digital silence into the microphone",
        "microphone_dead",
        lambda lab: lab.vm.check(f"systemctl stop {PLAYER}"),
        lambda lab: furnish(lab.vm),
    ),
)


def play(lab: Lab) -> None:
    """Well first; then what is pulled out, what is still there and does not work, and heat."""
    lab.hang_up()
    furnish(lab.vm)
    booked = lab.book(after_min=90)
    with lab.trial("self-test by command", "nothing keeps visits out; each probe has its figure") as trial:
        tested = selftest(lab)
        assert by_hand(lab) == tested.all_lacking
        trial.seen = f"{_well(tested)}; {booked.ref} is booked"
    with lab.trial("staff's Try again at the screen", "the chirp is played, and nothing is wrong") as trial:
        trial.seen = _chirps(lab)
    for fault in FAULTS:
        _break_and_mend(lab, fault)
    _heat(lab)


def _break_and_mend(lab: Lab, fault: Fault) -> None:
    expected = f"{fault.instruction}: self-test, screen, and the region's list of rooms that are not ready"
    try:
        with lab.trial(fault.did, expected) as trial:
            fault.breaks(lab)
            trial.seen = _found(lab, fault.instruction)
    finally:
        fault.mends(lab)
    with lab.trial(f"{fault.did}: mended", "found well by the room itself, and the region knows") as trial:
        trial.seen = f"well {wait_until_gone(lab, fault.instruction):.0f} s later, nothing asked for"


def _well(tested: Tested) -> str:
    assert not tested.faults, tested
    assert set(tested.warnings) <= BY_NATURE, tested
    assert tested.verdicts.keys() >= EVERY_TIME, f"not tried: {EVERY_TIME - tested.verdicts.keys()}"
    warned = f"; warns of {', '.join(tested.warnings)}" if tested.warnings else ""
    return f"{tested.seconds:.0f} s{warned}; {tested.figures()}"


def _chirps(lab: Lab) -> str:
    """Sound is played for staff whatever moves in the picture."""
    lab.touchscreen.touch("staff_unlock", text=lab.stack.access["pin"])
    before = lab.touchscreen.until("d['tested_at'] and not d['testing']")["tested_at"]
    outcome = lab.touchscreen.touch("staff_test")
    assert outcome.get("refusal") is None, outcome
    lab.touchscreen.until(f"not d['testing'] and d['tested_at'] != '{before}'", 120)
    lab.touchscreen.touch("staff_lock")
    tested = last(lab)
    assert not tested.faults, tested
    heard = tested.verdicts["loudspeaker"]
    assert heard.unit == PLAYED_ONLY, heard
    return f"played at {heard.figure:.0f} dBFS; lacks: {', '.join(tested.all_lacking) or 'nothing'}"


def _found(lab: Lab, instruction: str) -> str:
    """The self-test finds it, the screen says so, and the region."""
    tested = selftest(lab)
    assert tested.faults == (instruction,), tested
    shown = lab.touchscreen.until(f"d['faults'][:1] == ['{instruction}']")
    reason = next(v.reason for v in tested.verdicts.values() if v.instruction == instruction)
    known = wait_until_known(lab, instruction)
    return f"{tested.seconds:.0f} s: {reason}; room ready: {shown['ready']}; {known}"


def _heat(lab: Lab) -> None:
    thermometer.solder(lab.vm, COOL_C)
    try:
        with lab.trial(f"a thermometer (LM75) at {COOL_C:.0f} °C", "its figure, and well") as trial:
            tested = selftest(lab)
            assert tested.verdicts["temperature"].figure == COOL_C, tested
            trial.seen = _well(tested)
        with lab.trial(f"at {HOT_C:.0f} °C", "`temperature`: a warning, visits go on") as trial:
            thermometer.warm(lab.vm, HOT_C)
            tested = selftest(lab)
            assert not tested.faults and "temperature" in tested.warnings, tested
            assert lab.touchscreen.screen()["ready"], "the room takes nobody"
            trial.seen = f"{tested.verdicts['temperature'].reason}; {wait_until_known(lab, 'temperature')}"
        with lab.trial("cool again", "well again") as trial:
            thermometer.warm(lab.vm, COOL_C)
            trial.seen = _well(selftest(lab))
    finally:
        thermometer.unsolder(lab.vm)
