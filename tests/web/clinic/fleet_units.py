"""Units and enrolments of the fleet in memory."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from web.clinic.fleet.services import EnrolmentLine, UnitLine

WORDS = (
    (),
    ("fjord", "tupp", "moln", "hammare", "linje", "granit", "svala", "kaffe"),
    ("ängel", "båt", "ö", "tunnland", "skogsväg", "värme", "åska", "mössa"),
)
TROUBLES: tuple[dict[str, Any], ...] = (
    {"health": "bad", "state": "degraded", "reasons": ("degraded",)},
    {"health": "bad", "state": "lost", "reasons": ("lost", "schedule_behind"), "schedule_current": False},
    {"health": "attention", "state": "ready", "reasons": ("config_rejected",), "config": "rejected"},
    {"health": "attention", "state": "ready", "reasons": ("certificate_soon",)},
    {"health": "attention", "state": "ready", "reasons": ("clock_off",)},
    {"health": "revoked", "state": "revoked", "reasons": ("revoked",)},
    {"health": "unknown", "state": "unknown", "reasons": ("never_heard",), "heard_at": None, "software": ""},
    {"health": "bad", "state": "lost", "reasons": ("expired",)},
    {"health": "attention", "state": "ready", "reasons": ("no_room",), "room_id": None, "room": None,
     "clinic": None},
    {"health": "attention", "state": "in_session", "reasons": ("config_rolled_back",),
     "config": "rolled_back", "busy": True},
)  # fmt: skip
"""The first units each have one of these, the others are well."""
FAULTY = [f"u-{number:03d}" for number in range(1, len(TROUBLES) + 1)]
CLINICS = ("Kusten", "Fjället", "Vårdcentralen Björkhagen", "Skogsbygden")


def make_units(now: datetime, size: int) -> Iterator[UnitLine]:
    """As many as asked for."""
    for number in range(1, size + 1):
        told: dict[str, Any] = {
            "id": f"u-{number:03d}",
            "serial": f"HR-2025-{number:05d}",
            "room_id": f"r{number}",
            "room": f"Rum {number}",
            "clinic": CLINICS[number % len(CLINICS)],
            "health": "good",
            "state": "ready",
            "since": now - timedelta(hours=number),
            "heard_at": now - timedelta(seconds=number % 50),
            "software": ("1.4.0", "1.4.1", "1.5.0")[number % 3],
            "board": ("rpi5", "nuc")[number % 2],
            "certificate_until": now + timedelta(days=20 + number % 200),
            "config_rev": 4,
            "config_reported_rev": 4,
        }
        if number <= len(TROUBLES):
            told |= TROUBLES[number - 1]
        yield UnitLine(**told)


def enrolment(id_: int, now: datetime, serial: str, *, minutes: float = 0.2, **changes: Any) -> EnrolmentLine:
    """One at the door, heard so many minutes ago."""
    told: dict[str, Any] = {
        "id": id_,
        "serial": serial,
        "words": WORDS[1],
        "key_sha256": f"{id_:064x}",
        "why": "new",
        "was": None,
        "software": "1.5.0",
        "board": "rpi5",
        "state": "waiting",
        "asked_at": now - timedelta(minutes=minutes + 3),
        "heard_at": now - timedelta(minutes=minutes),
        "at_the_door": minutes < 2,
        "rival": False,
        "proposed_unit": changes.get("was") or serial.lower(),
    }
    return EnrolmentLine(**(told | changes))
