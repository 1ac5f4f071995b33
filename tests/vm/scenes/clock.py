"""The unit's clock is wrong, suddenly: forwards and back."""

from __future__ import annotations

from tests.vm.lab import Lab

SHORT, FRESH, RANK = True, False, 80
JUMPS = (("forwards by 30 days", "+30 days", 40), ("back by 60 days", "-60 days", 30))


def play(lab: Lab) -> None:
    """What is booked is judged by the region's time, so a jump changes nothing in the room."""
    lab.hang_up()
    boot = lab.report()[1]
    for name, jump, after_min in JUMPS:
        with lab.trial(
            f"clock jumps {name}", "the unit stays connected, takes a booking and knows when it begins"
        ) as trial:
            lab.vm.check(f"timedatectl set-ntp false; date -s \"$(date -d '{jump}')\"")
            booked = lab.book(after_min=after_min, minutes=5)
            shown = lab.touchscreen.until(f"d['next_session'] and d['next_session']['ref'] == '{booked.ref}'")
            state, now_boot = lab.report()
            assert now_boot == boot, "the agent was restarted"
            assert state != "lost", "the region has lost it"
            off_s = lab.clock_off_s(shown["now"])
            assert abs(off_s) < 30, f"the screen's clock is {off_s:.0f} s off"
            trial.seen = f"{state}; {booked.ref} on the screen, whose clock is {off_s:+.1f} s off"
    lab.set_clock()
