"""The screen as people meet it: its page is seen, a finger is heard, no key leads out, a browser comes back.

Touches and keys are those of devices of the guest's own kernel (uinput).
"""

from __future__ import annotations

import re
import time
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np

from tests.vm.guest_agent import GuestError
from tests.vm.hands import Hands
from tests.vm.lab import Lab
from tests.vm.machine import Machine

SHORT, FRESH, RANK = False, True, 85

MARK = "/run/halsorum/screen/screen-alive"
GROUND_BGR = (0xEF, 0xF4, 0xF6)
"""--ground of web/shared/tokens.css, which fills most of the idle page."""
HELP = (0.09, 0.92)
"""Where the idle page has its help button, of width and height."""
WAYS_OUT: tuple[tuple[str, ...], ...] = (
    ("LEFTCTRL", "W"),
    ("LEFTCTRL", "T"),
    ("LEFTCTRL", "N"),
    ("LEFTCTRL", "L"),
    ("LEFTCTRL", "LEFTSHIFT", "I"),
    ("LEFTALT", "F4"),
    ("LEFTSHIFT", "ESC"),
    ("F1",),
    ("F5",),
    ("F11",),
    ("F12",),
    ("LEFTMETA",),
    ("HOMEPAGE",),
    ("SLEEP",),
    ("POWER",),
    ("LEFTCTRL", "LEFTALT", "F2"),
    ("LEFTCTRL", "LEFTALT", "DELETE"),
    ("LEFTALT", "SYSRQ", "B"),
)
TOUCHES_MOST, HEARD_WITHIN_S = 6, 15
RESTS_S = 1.5
"""Three times what a browser takes for a long press, and asks for its menu."""
PAINTED_WITHIN_S = 600.0
BACK_WITHIN_S = 300.0
"""Emulated, Chromium takes a minute to paint; the time is told, and only the return is judged."""


def play(lab: Lab) -> None:
    """A machine without sound and console, which an emulated processor that draws a browser is better without."""
    vm = lab.power_on("kiosk", hardware=lab.quick("halsorum-audio", "serial-getty@ttyS0"))
    with lab.trial("the unit was switched on", "its page is on the screen") as trial:
        vm.wait_for(lambda: age_s(vm) < 10, "a page that says that it painted", PAINTED_WITHIN_S)
        share = ground(vm, lab.folder / "kiosk-idle.png")
        assert share > 0.3, f"the screen shows something else: {share:.0%} of it is the page's ground"
        trial.seen = f"painted after {vm.on_for_s():.0f} s, {share:.0%} of the screen is the page's ground"
    with lab.trial("the kiosk's user asks for the camera", "refused: it is the agent's") as trial:
        done = vm.run("runuser -u halsorum-kiosk -- head -c1 /dev/video0")
        assert done.status != 0 and "denied" in done.err, done
        trial.seen = done.err.strip()[-60:]
    with lab.trial("Chromium's processes are looked at", "each renderer in its sandbox") as trial:
        trial.seen = sandbox(vm)
    hands = Hands(vm)
    with lab.trial("a finger (uinput) on the help button", "the agent hears it") as trial:
        touches = finger_until(lab, hands, "d['help_state'] != 'none'")
        lab.touchscreen.touch("help_over")
        trial.seen = f"help was asked for at touch {touches}, and taken back"
    with lab.trial(f"a finger that rests there for {RESTS_S} s", "the agent hears it all the same") as trial:
        touches = finger_until(lab, hands, "d['help_state'] != 'none'", RESTS_S)
        lab.touchscreen.touch("help_over")
        trial.seen = f"help was asked for at touch {touches}, and taken back"
    with lab.trial(
        f"{len(WAYS_OUT)} shortcuts, and Escape held for 4 s", "the same page, nothing else"
    ) as trial:
        trial.seen = keys(vm, hands, lab.folder / "kiosk-keys.png")
    for name, signal in (("dies", "KILL"), ("hangs", "STOP")):
        with lab.trial(f"the browser {name} (SIG{signal})", "back on its page, in a new browser") as trial:
            trial.seen = f"back after {comes_back(vm, signal):.0f} s (emulated)"


def finger_until(lab: Lab, hands: Hands, holds: str, seconds: float = 0.05) -> int:
    """Touch the help button until the agent has heard it; returns how often that took. A browser that is starved
    may miss one: a person would touch again, too."""
    for touch in range(1, TOUCHES_MOST + 1):
        hands.tap(*HELP, seconds=seconds)
        with suppress(GuestError):
            lab.touchscreen.until(holds, HEARD_WITHIN_S)
            return touch
    raise AssertionError(f"{TOUCHES_MOST} touches were not heard")


def age_s(vm: Machine) -> float:
    """Since a page last said that it painted."""
    done = vm.run(f"echo $(( $(date +%s%3N) - $(date -r {MARK} +%s%3N) ))")
    return float(done.out) / 1000 if done.status == 0 and done.out.strip().isdigit() else float("inf")


def ground(vm: Machine, file: Path) -> float:
    """What share of the screen has the page's own ground."""
    picture = cv2.imread(str(vm.screenshot(file)))
    assert picture is not None, "no picture of the screen"
    near = np.abs(picture.astype(int) - np.array(GROUND_BGR)).max(axis=2) < 6
    return float(near.mean())


def browser(vm: Machine) -> int:
    """Its process id. Raises GuestError while there is none."""
    lines = vm.check("pgrep -a -u halsorum-kiosk -f '^/usr/lib/chromium/chromium '").splitlines()
    for line in lines:
        if "--type=" not in line:
            return int(line.split()[0])
    raise GuestError("only a browser's children run")


def sandbox(vm: Machine) -> str:
    """Raises AssertionError if a renderer runs without it."""
    states = vm.check(
        "for p in $(pgrep -u halsorum-kiosk -f -- --type=renderer); do "
        "grep -hE '^(Seccomp|NoNewPrivs|NSpid):' /proc/$p/status | tr '\\n\\t' '  '; echo; done"
    ).splitlines()
    for state in states:
        found = dict(re.findall(r"(\w+): ((?:\d+ )+)", state))
        assert found["Seccomp"].strip() == "2" and len(found["NSpid"].split()) > 1, state
    assert "--no-sandbox" not in vm.check("pgrep -a -u halsorum-kiosk chromium").split()
    return f"{len(states)} renderers: seccomp, a PID namespace of their own"


def keys(vm: Machine, hands: Hands, file: Path) -> str:
    """Raises AssertionError if the page, the browser, the console or the machine is another one afterwards."""
    before = (browser(vm), vm.check("cat /sys/class/tty/tty0/active"), vm.boot_id())
    for names in WAYS_OUT:
        hands.press(*names)
    hands.press("ESC", seconds=4)
    time.sleep(5)
    assert (browser(vm), vm.check("cat /sys/class/tty/tty0/active"), vm.boot_id()) == before
    vm.wait_for(lambda: age_s(vm) < 5, "a page that goes on", 30)
    share = ground(vm, file)
    assert share > 0.3, f"{share:.0%} of the screen is the page's"
    return f"same browser, console and boot; {share:.0%} of the screen is the page's ground"


def comes_back(vm: Machine, signal: str) -> float:
    """Seconds until another browser's page has painted."""
    old = browser(vm)
    vm.check(f"kill -{signal} {old}")
    began = time.monotonic()
    vm.wait_for(lambda: browser(vm) != old, "a new browser", BACK_WITHIN_S)
    vm.wait_for(lambda: age_s(vm) < 3, "its page", BACK_WITHIN_S)
    return time.monotonic() - began
