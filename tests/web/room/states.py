"""Every page of the touchscreen as the agent would show it, by name."""

from __future__ import annotations

from datetime import timedelta

from fakes import NOW, line, screen, view

from agent.screen import Lock, PartyLine, Screen

LATER = NOW + timedelta(minutes=10)
BOTH = line("A17", 10, methods=("code", "button"))
DAY = (
    line("A12", -80, state="wiped"),
    line("A17", 10, state="ready"),
    line("A21", 70),
    line("A30", 130),
    line("A34", 190, state="cancelled"),
)
THREE = (
    PartyLine("p1", "clinician", "account", "connected"),
    PartyLine("p2", "interpreter", "link", "connected"),
    PartyLine("p3", "relative", "link", "connecting"),
)


def call(**changes: object) -> Screen:
    """In the meeting."""
    return screen(page="call", session=view(state="in_call", **changes))


STATES: dict[str, Screen] = {
    "idle": screen(),
    "idle-empty": screen(next_session=None, can_check_in=(), region_up=False),
    "idle-button": screen(can_check_in=(BOTH,)),
    "idle-faults": screen(faults=("microphone",)),
    "code-locked": screen(code_lock=Lock(0, NOW + timedelta(minutes=2))),
    "waiting": screen(page="waiting", session=view()),
    "waiting-late": screen(page="waiting", session=view(late=True)),
    "call": call(),
    "call-begins": call(parties=(PartyLine("p1", "clinician", "account", "connecting"),)),
    "call-three": call(parties=THREE),
    "call-muted": call(microphone=False, camera=False),
    "call-reconnecting": call(line="reconnecting"),
    "call-lost": call(line="lost"),
    "ended": screen(page="ended", session=view(state="ended", parties=())),
    "fault": screen(page="fault", faults=("camera",), ready=False),
    "staff": screen(staff_unlocked_until=LATER, staff_sessions=DAY),
    "staff-faults": screen(staff_unlocked_until=LATER, faults=("camera", "warp_drive"), region_up=False),
    "pin-locked": screen(pin_lock=Lock(0, NOW + timedelta(minutes=2))),
    "help-sent": screen(help_state="sent"),
    "help-answered": screen(page="waiting", session=view(), help_state="answered"),
    "help-unanswered": call(),
}
