"""Every page of the touchscreen as the agent would show it, by name."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from fakes import NOW, line, screen, view

from agent.enrolment import State
from agent.enrolment_view import qr_path
from agent.screen import (
    Announcement,
    Beside,
    Caption,
    Choice,
    EnrolView,
    Figure,
    Lock,
    PartyLine,
    Question,
    QueueView,
    ScanView,
    Screen,
    Todo,
)

LATER = NOW + timedelta(minutes=10)
SOON = NOW + timedelta(seconds=3)
ENDED = view(state="ended", parties=(), ended_reason="last_clinician_left")
BOTH = line("A17", 10, methods=("code", "button"))
DAY = (
    line("A12", -80, state="wiped"),
    line("A17", 10, state="ready"),
    line("A21", 70),
    line("A30", 130),
    line("A34", 190, state="cancelled"),
)
CLINICIAN = PartyLine(
    "p1", "clinician", "oidc", "connected", "Kanarina Kanarsson", "Läkare", "Norra kliniken", chair=True
)
INTERPRETER = PartyLine("p2", "interpreter", "link", "connected", "Tolk 4711", "", "Tolkservice", sees=False)
RELATIVE = PartyLine("p3", "relative", "link", "connecting")
SPECIALIST = PartyLine(
    "p4", "specialist", "oidc", "connected", "Provert Provsson", "Ortoped", "Södra sjukhuset"
)
SHARE = PartyLine("p1share", "clinician", "oidc", "connected", share_of="p1")
THREE = (CLINICIAN, INTERPRETER, RELATIVE)
FOUR = (CLINICIAN, SPECIALIST, INTERPRETER, RELATIVE)
WRITTEN = (
    Caption(1, "p1", "clinician", "Hej och välkommen! Jag skriver också, så att du kan läsa."),
    Caption(2, "p2", "interpreter", "Jag tolkar det som sägs."),
    Caption(3, "p1", "clinician", "Ta medicinen en gång om dagen, på morgonen, i tio dagar."),
)
QR = line("A17", 10, methods=("code", "qr", "staff"))
EVERY_WAY = line("A17", 10, methods=("code", "qr", "button", "staff"))
PEOPLE = tuple(
    Choice(f"s{each}", name)
    for each, name in enumerate(
        (
            "Anna",
            "Bo",
            "Cecilia",
            "Didrik",
            "Elif",
            "Fatima",
            "Göran",
            "Hanna",
            "Ivar",
            "Jamila",
            "Karl-Johan",
            "Lo",
        ),
        1,
    )
)
ROOMS = (Choice("r2", "Hälsorum 3"), Choice("r3", "Samtalsrum Söder"), Choice("r4", "Rum 117"))
FIGURES = (
    Figure("region", True, 0.1, "s"),
    Figure("camera", True, 29.9, "frames/s"),
    Figure("microphone", True, -41.5, "dBFS"),
    Figure("encoder", True, 6.2, "x real time (libx264)"),
)
ENROL_STATES = tuple(state.value for state in State)
WORDS = ("björk", "kanot", "hallon", "tiger", "skruv", "orgel", "färja", "citron")
REASONS = {
    "rejected": "this serial number is used; IT must arm it again",
    "conflict": "another key asks under the same serial number; IT compares the words and decides",
    "expired": "nobody has decided in time",
    "unusable": "the certificate cannot be used: it is not for the key that asked",
}


def enrolling(state: str, problem: str = "") -> Screen:
    """A unit on its way in."""
    qr = qr_path(f"halsorum:enrol?serial=hr-000417&key={'5e' * 32}")
    shown = EnrolView("hr-000417", WORDS, qr, state, problem, REASONS.get(state, ""))
    return screen(page="enrol", room_name="Hälsorum", next_session=None, can_check_in=(), enrol=shown)


ALL_OUTPUTS = ("loudspeaker", "headphones", "hearing_loop")


def call(**changes: object) -> Screen:
    """In the meeting."""
    return screen(page="call", session=view(state="in_call", **changes))


STATES: dict[str, Screen] = {
    "idle": screen(),
    "idle-empty": screen(next_session=None, can_check_in=(), region_up=False),
    "idle-message": screen(
        message="Hissen är avstängd till klockan 15. Gå genom entrén på baksidan, så visar personalen vägen dit."
    ),
    "locate": screen(locating=True),
    "wiping": screen(page="halted", halted="wiping"),
    "wiped": screen(page="halted", halted="wiped"),
    "idle-button": screen(can_check_in=(BOTH,)),
    "idle-faults": screen(faults=("microphone",)),
    "code-locked": screen(code_lock=Lock(0, NOW + timedelta(minutes=2))),
    "waiting": screen(page="waiting", session=view()),
    "waiting-late": screen(page="waiting", session=view(late=True)),
    "call": call(),
    "call-begins": call(parties=(PartyLine("p1", "clinician", "account", "connecting"),)),
    "call-three": call(parties=THREE),
    "call-muted": call(microphone=False, camera=False),
    "call-backlit": call(warning="backlit"),
    "call-muted-talking": call(microphone=False, warning="muted_talking"),
    "call-no-sound": call(warning="party_sound"),
    "call-reconnecting": call(line="reconnecting"),
    "call-lost": call(line="lost"),
    "idle-qr": screen(can_check_in=(QR,)),
    "idle-all-ways": screen(can_check_in=(EVERY_WAY,)),
    "scan": screen(can_check_in=(QR,), scan=ScanView()),
    "queue": screen(queue=QueueView("q1", "Norra vårdcentralens jourkö", 3, NOW)),
    "queue-next": screen(queue=QueueView("q1", "Norra vårdcentralens jourkö", 1, NOW)),
    "waiting-region": screen(page="waiting", session=view(), region_up=False),
    "waiting-outputs": screen(page="waiting", session=view(), outputs=ALL_OUTPUTS),
    "waiting-taken": screen(
        page="waiting", session=view(late=True), overrun=line("A21", 0), overrun_known=True
    ),
    "call-one": call(parties=(CLINICIAN,)),
    "call-two": call(parties=(CLINICIAN, SPECIALIST)),
    "call-interpreter": call(parties=(CLINICIAN, INTERPRETER)),
    "call-four": call(parties=FOUR, beside=(Beside("b1", "relative", "Ek"), Beside("b2", "staff"))),
    "call-share": call(parties=(CLINICIAN, SHARE), sharing=True),
    "call-share-four": call(parties=(*FOUR, SHARE), sharing=True),
    "call-captions": call(
        parties=THREE, captions=WRITTEN, announcements=(Announcement(1, "joined", "interpreter"),)
    ),
    "call-question": call(parties=(CLINICIAN,), question=Question("s1", "still", "clinician", SOON)),
    "call-hand-camera": call(parties=(CLINICIAN,), has_hand_camera=True, zoomed=True),
    "call-outputs": replace(call(parties=(CLINICIAN,), has_hand_camera=True), outputs=ALL_OUTPUTS),
    "call-overrun": replace(call(parties=(CLINICIAN,)), overrun=line("A21", 0)),
    "call-alone": call(parties=(), alone=True),
    "hold": call(on_hold=True),
    "ended": screen(page="ended", session=ENDED),
    "ended-cancelled": screen(page="ended", session=replace(ENDED, ended_reason="cancelled")),
    "rejected": screen(session=view(state="ready", was_rejected=True, parties=())),
    "fault": screen(page="fault", session=view(), ready=False),
    "fault-camera": screen(page="fault", session=view(), faults=("camera",), ready=False),
    "fault-microphone": screen(page="fault", session=view(), faults=("microphone",), ready=False),
    "staff": screen(staff_unlocked_until=LATER, staff_sessions=DAY),
    "staff-who": screen(staff=PEOPLE[:5]),
    "staff-many": screen(
        staff_unlocked_until=LATER,
        staff_sessions=tuple(line(f"B{10 + each}", 20 * each) for each in range(12)),
        staff=PEOPLE,
        staff_member=PEOPLE[0],
        rooms=ROOMS,
        queues=ROOMS[:2],
        figures=FIGURES,
        tested_at=NOW,
    ),
    "staff-in-call": replace(
        call(parties=(CLINICIAN,)),
        staff_unlocked_until=LATER,
        staff_sessions=(
            line("A17", -20, state="in_call"),
            replace(line("A21", -1, state="ready"), taken=True),
        ),
        staff_member=PEOPLE[0],
        rooms=ROOMS,
    ),
    "staff-faults": screen(
        staff_unlocked_until=LATER,
        faults=("camera", "warp_drive"),
        todo=Todo("fail", "camera_cable"),
        region_up=False,
    ),
    "staff-covered": screen(
        staff_unlocked_until=LATER,
        faults=("camera_covered", "update"),
        todo=Todo("fail", "camera_cover"),
        tested_at=NOW,
    ),
    "staff-turned": screen(
        staff_unlocked_until=LATER, faults=("camera_turned",), todo=Todo("warn", "camera_turn"), tested_at=NOW
    ),
    "staff-quiet": screen(
        staff_unlocked_until=LATER,
        faults=("loudspeaker_quiet",),
        todo=Todo("warn", "loudspeaker"),
        tested_at=NOW,
    ),
    "staff-region-down": screen(staff_unlocked_until=LATER, region_up=False),
    "staff-testing": screen(staff_unlocked_until=LATER, faults=("camera_covered",), testing=True),
    **{f"enrol-{state}": enrolling(state) for state in ENROL_STATES},
    "enrol-unreached": enrolling("connecting", problem="unreached"),
    "enrol-untrusted": enrolling("connecting", problem="untrusted"),
    "enrol-refused": enrolling("connecting", problem="refused"),
    "fault-certificate": screen(page="fault", faults=("region", "certificate"), region_up=False),
    "staff-certificate": replace(
        screen(staff_unlocked_until=LATER, faults=("region", "certificate"), region_up=False),
        enrol=enrolling("waiting").enrol,
    ),
    "pin-locked": screen(pin_lock=Lock(0, NOW + timedelta(minutes=2))),
    "help-sent": screen(help_state="sent"),
    "help-answered": screen(page="waiting", session=view(), help_state="answered"),
    "help-unanswered": screen(help_state="unanswered"),
    "help-in-call": replace(call(), help_state="sent"),
}
