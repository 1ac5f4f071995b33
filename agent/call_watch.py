"""What goes wrong between people in a call, and who is told: once, quietly, the one who can mend it. Pure.

What is wrong is judged once a second (agent/call_watch_facts.py) and comes in here with its time. Here it is
waited a little, so that a cough is no fault; told; taken back some seconds after it is well; and not told again
for a while. Each sees one line at a time, the gravest of theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

What = Literal[
    "room_sound",
    "party_sound",
    "muted_talking",
    "room_picture",
    "covered",
    "party_picture",
    "dark",
    "backlit",
    "clipping",
]
Case = tuple[What, str]
"""What is wrong, and with which party (its peer); with the room: an empty string."""
Parties = Literal["none", "one", "all"]
"""Which parties' pages are told: nobody's, that party's, those of all who lead."""

TOLD_AFTER_S = 2.0
"""Wrong three seconds running, it is told: with what it takes to judge and to draw, within 5 s."""
WELL_AFTER_S = 3.0
"""Well for so long, it is over: people pause between words, and a cloud passes."""
HINT_SHOWN_S = 30.0
"""A hint that nobody has followed by then has been read; it is not said for as long as it lasts."""
AGAIN_AFTER_S = 120.0
"""Told and over, it is not told again for so long, or a loose plug would talk all the time."""
PATIENCE = 2.0
"""Each time that it was over by itself, it is waited so many times longer: there are headsets that give nothing
between words."""
PATIENCE_MAX_S = 30.0


@dataclass(frozen=True, slots=True)
class Matter:
    """Who is told of one thing.

    `note`: the instruction for staff (agent/contract/instructions.py), where they can mend it. `hint`: the meeting
    goes on well enough; it goes by itself. `recorded`: whether the meeting log knows of it.
    """

    patient: bool
    parties: Parties
    note: str = ""
    hint: bool = False
    recorded: bool = True

    @property
    def who(self) -> str:
        """Who is told, for the meeting log."""
        told = [*(["patient"] if self.patient else []), *([] if self.parties == "none" else ["party"])]
        return "_".join([*told, *(["staff"] if self.note else [])])


MATTERS: Mapping[What, Matter] = {
    "room_sound": Matter(patient=False, parties="all", note="microphone_dead"),
    "party_sound": Matter(patient=True, parties="one"),
    # What somebody says behind a closed microphone is nobody else's business, nor that they did.
    "muted_talking": Matter(patient=True, parties="none", recorded=False),
    "room_picture": Matter(patient=False, parties="all", note="camera_frozen"),
    "covered": Matter(patient=True, parties="all", note="camera_covered"),
    "party_picture": Matter(patient=False, parties="one"),
    "dark": Matter(patient=True, parties="all", hint=True),
    "backlit": Matter(patient=True, parties="all", hint=True),
    "clipping": Matter(patient=True, parties="none", hint=True),
}
"""The gravest first. The touchscreen itself says of a party's picture that there is none."""
_ORDER: Mapping[What, int] = {what: number for number, what in enumerate(MATTERS)}


@dataclass(frozen=True, slots=True)
class Told:
    """What is said now: to the patient, to each party that has something to read, to staff."""

    patient: What | None = None
    parties: Mapping[str, What] = field(default_factory=dict)
    notes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Over:
    """Something that was told has ended, for the meeting log: what, how long it lasted, who was told."""

    what: What
    seconds: float
    who: str


@dataclass(slots=True)
class _Course:
    wrong_since: float | None = None
    well_since: float | None = None
    told_at: float | None = None
    after_s: float = TOLD_AFTER_S
    not_before: float = float("-inf")


class CallWatch:
    """One call's. Times are seconds of any clock that never steps."""

    def __init__(self) -> None:
        self._courses: dict[Case, _Course] = {}

    def look(self, now: float, wrong: Mapping[Case, bool | None]) -> tuple[Over, ...]:
        """What is wrong now, and what is well; None: it cannot be said, and stays as it is. What is not named does
        not matter now (a camera that is off), and is over at once. Returns what has ended."""
        ended: list[Over] = []
        for case in wrong.keys() | self._courses.keys():
            course = self._courses.setdefault(case, _Course())
            verdict = wrong.get(case, False)
            if verdict is None:
                continue
            if verdict:
                self._is_wrong(course, now)
            elif course.told_at is None:
                course.wrong_since = None
            else:
                ended += self._is_well(case, course, now, at_once=case not in wrong)
        return tuple(over for over in ended if MATTERS[over.what].recorded)

    def told(self, now: float, here: Mapping[str, bool]) -> Told:
        """What is said now; here: the parties that are connected, by peer, and whether each leads."""
        cases = sorted(
            (case for case, course in self._courses.items() if _is_said(case[0], course, now)),
            key=lambda case: _ORDER[case[0]],
        )
        unheard = {peer for what, peer in cases if what == "party_sound"}
        for_patient = [
            what
            for what, _ in cases
            # While somebody else is heard, it is theirs to say so.
            if MATTERS[what].patient and (what != "party_sound" or unheard.issuperset(here))
        ]
        lasting = {case[0] for case, course in self._courses.items() if course.told_at is not None}
        return Told(
            patient=next(iter(for_patient), None),
            parties={peer: what for peer, leads in here.items() for what in _of_party(peer, leads, cases)},
            notes=frozenset(MATTERS[what].note for what in lasting if MATTERS[what].note),
        )

    def close(self, now: float) -> tuple[Over, ...]:
        """The call is over: all that was still told."""
        ended = self.look(now, {})
        self._courses.clear()
        return ended

    def _is_wrong(self, course: _Course, now: float) -> None:
        course.well_since = None
        if course.wrong_since is None:
            course.wrong_since = now
        is_due = now - course.wrong_since >= course.after_s and now >= course.not_before
        if course.told_at is None and is_due:
            course.told_at = now

    def _is_well(self, case: Case, course: _Course, now: float, *, at_once: bool) -> list[Over]:
        if course.well_since is None:
            course.well_since = now
        if not at_once and now - course.well_since < WELL_AFTER_S:
            return []
        began = now if course.wrong_since is None else course.wrong_since
        over = Over(case[0], round(course.well_since - began, 1), MATTERS[case[0]].who)
        after_s = course.after_s if at_once else min(PATIENCE_MAX_S, course.after_s * PATIENCE)
        self._courses[case] = _Course(after_s=after_s, not_before=now + AGAIN_AFTER_S)
        return [over]


def _is_said(what: What, course: _Course, now: float) -> bool:
    if course.told_at is None:
        return False
    return not MATTERS[what].hint or now - course.told_at < HINT_SHOWN_S


def _of_party(peer: str, leads: bool, cases: Iterable[Case]) -> list[What]:
    """The gravest of what this party's page is to say, if there is anything."""
    return [
        what
        for what, about in cases
        if (leads and MATTERS[what].parties == "all") or (about == peer and MATTERS[what].parties == "one")
    ][:1]
