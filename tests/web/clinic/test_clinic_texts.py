"""Every text that is used is there, in every language, and every text that is there is used."""

from __future__ import annotations

import json
import re
from pathlib import Path
from string import Formatter
from typing import get_args

import fleet_texts

from agent.call_watch import MATTERS
from agent.contract.events import EventKind
from agent.contract.quality import EncodingName
from agent.contract.schedule import CheckInMethod, PartyRole
from agent.contract.signalling import ByeReason
from agent.contract.status import UnitState
from web.clinic import errors, signin_oidc, texts
from web.clinic.booking import METHODS
from web.clinic.course import Verdict
from web.clinic.readiness_figures import CAUSES
from web.clinic.refusals import KNOWN
from web.clinic.seats import SeatState
from web.clinic.services import Role

CLINIC = Path(texts.__file__).parent
SWEDISH, ENGLISH = (
    {
        key: text
        for part in texts.PARTS
        for key, text in json.loads((CLINIC / "texts" / f"{part}{code}.json").read_text("utf-8")).items()
    }
    for code in ("sv", "en")
)
SESSION_STATES = [
    "booked",
    "ready",
    "waiting",
    "admitted",
    "in_call",
    "ended",
    "wiped",
    "cancelled",
    "no_show",
    "failed",
]
REGION_KINDS = ["booked", "moved", "cancelled", "party_opened", "party_left", "remote_check_in", "help_taken"]
REGION_KINDS += ["seat_made", "seat_withdrawn", "seat_claimed", "knocked", "party_admitted", "party_rejected"]
REGION_KINDS += ["party_removed", "chair_given", "sharing_noted", "still_saved", "reject_asked"]
REGION_KINDS += ["end_moved", "room_changed", "queue_taken"]
REGION_KINDS += ["party_reconnected", "admit_asked", "end_asked", "resume_confirmed", "resume_refused"]
REGION_KINDS += ["taken", "taken_over", "released"]
CHECKLISTS = ("before_patient", "before", "during", "after")
ENDS = [
    "left_waiting",
    "unit_was_away",
    "abandoned",
    "ended_by_clinician",
    "last_clinician_left",
    "patient_left",
    "nobody_here",
]
ENDS += ["new_party", "not_confirmed", "past_at_first_sight", "resume_refused"]
ENDS += ["ended_by_staff", "handed_over", "nobody_here"]
FAMILIES = {
    "language": texts.LANGUAGES,
    "how": (*get_args(CheckInMethod), "staff_remote"),
    "state": SESSION_STATES,
    "room": (*get_args(UnitState), "unknown"),
    "ready.level": ("fail", "warn"),
    "figures.cause": CAUSES,
    "ready.told": ("sent", "waiting", "failed"),
    "booking.method": {*METHODS, *get_args(CheckInMethod)},
    "error": errors.WORDED,
    "log.kind": (*get_args(EventKind), *REGION_KINDS),
    "log.role": (*get_args(PartyRole), "patient"),
    "log.field": (
        *("time", "from", "seat", "to", "admitted_by", "rejected_by", "removed_by", "organisations"),
        *("staff", "room", "minutes", "queue", "seconds"),
    ),
    "log.sharing": ("on", "off"),
    "log.what": [what for what, matter in MATTERS.items() if matter.recorded],
    "seat.state": get_args(SeatState),
    "log.identified": ("account", "oidc", "link", "unit"),
    "log.reason": (*get_args(ByeReason), *ENDS),
    "log.source": ("unit", "region"),
    "role": get_args(Role),
    "checklist": CHECKLISTS,
    "refused": {"no_method", "choose_one", "no_date", "no_time", *(key for *_, key in KNOWN)},
    "course.encoding": get_args(EncodingName),
    "course.verdict": get_args(Verdict),
    "course.because": get_args(Verdict),
    "js": ("microphone_on", "microphone_off", "camera_on", "camera_off"),
}
FAMILIES |= fleet_texts.FAMILIES
FAMILY_KEYS = {f"{family}.{member}" for family, members in FAMILIES.items() for member in members}
FAMILY_KEYS |= {
    key for key in SWEDISH if key.startswith(tuple(f"checklist.{which}." for which in CHECKLISTS))
}
"""Which lines each list has is written in one template, and checked where they are drawn."""
FAMILY_KEYS |= set(signin_oidc.WORDS.values()) | {"sign_in.oidc_away", "sign_in.oidc_stale"}


def _source(*patterns: str) -> str:
    return "\n".join(path.read_text("utf-8") for pattern in patterns for path in sorted(CLINIC.glob(pattern)))


def _used() -> set[str]:
    pages = _source("*.py", "fleet/*.py", "templates/clinic/*.html", "templates/clinic/fleet/*.html")
    keys = set(re.findall(r"""\bt(?:exts\(\))?\(["']([a-z_]+(?:\.[a-z_]+)*)["'][,)]""", pages))
    scripts = _source("static/*.js")
    keys |= {f"js.{key}" for key in re.findall(r"\btexts\.([a-z_]+)", scripts)}
    # Keys that one script returns and another looks up: states of the line, and what is wrong with a device.
    return keys | {key for key in SWEDISH if key.startswith("js.") and f'"{key[3:]}"' in scripts}


def test_no_text_is_missing():
    assert _used() | FAMILY_KEYS <= set(SWEDISH)


def test_no_text_is_unused():
    assert set(SWEDISH) - _used() - FAMILY_KEYS == set()


def test_the_languages_say_the_same_with_the_same_gaps():
    assert list(SWEDISH) == list(ENGLISH)
    for key, text in SWEDISH.items():
        assert text.strip()
        assert _gaps(text) == _gaps(ENGLISH[key]), key


def _gaps(text: str) -> set[str | None]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_a_word_we_do_not_have_is_shown_as_it_came():
    swedish = texts.load()["sv"]
    assert swedish.of("state", "waiting") == "Väntar"
    assert swedish.of("state", "dancing") == "dancing"
