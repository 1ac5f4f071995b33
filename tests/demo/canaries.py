"""What must not be left behind, and the search for it in every file, byte by byte."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from tests.system.search import files, read

PATIENT = {
    "patient's name": "Kanarina Ömsdotter-Visslare",
    "personnummer": "191212121212",
    "personnummer with hyphen": "19121212-1212",
    "reason for the visit": "kanariesymtom i vänster knä",
    "booking system's number": "tidbok-kanarie-4711",
}
CLINICIAN = "Doktor Kanariefågel Åsnebo"
INTERPRETER = "Tolk Kanarieödla Örnsköld"
REGION = ("region/", "logs/region.log")
"""Where the region keeps what it may: who is booked with whom is its business, who the patient is, nobody's."""


@dataclass(frozen=True, slots=True)
class Canary:
    """`may_be_in`: beginnings of paths where it has its place. `kind` says how it is told from chance finds:
    a number must not be part of a longer one, and a short name must stand in quotation marks or the like."""

    name: str
    text: str
    may_be_in: tuple[str, ...] = ()
    kind: str = "text"

    def pattern(self) -> re.Pattern[bytes]:
        """All the ways it may be written in a file."""
        before, after = {
            "text": (b"", b""),
            "number": (rb"(?<![0-9.])", rb"(?![0-9])"),
            "short": (rb"(?<=[\"'>\s=:/(\x00])", rb"(?=[\"'<\s,;&.)\\\x00])"),
        }[self.kind]
        forms = b"|".join(re.escape(form) for form in sorted(forms_of(self.text)))
        return re.compile(before + b"(?:" + forms + b")" + after)


@dataclass(frozen=True, slots=True)
class Finding:
    """A canary, and the file that holds it."""

    canary: str
    file: str


def forms_of(text: str) -> set[bytes]:
    """UTF-8, UTF-16 in both orders, JSON's escapes, and as part of an address."""
    wide = {text.encode("utf-16-le"), text.encode("utf-16-be")}
    return {text.encode(), json.dumps(text)[1:-1].encode(), quote(text).encode(), *wide}


def canaries(sid: str, ref: str, code: str) -> list[Canary]:
    """All of one visit."""
    return [
        *(Canary(name, text) for name, text in PATIENT.items()),
        Canary("clinician's name", CLINICIAN, REGION),
        Canary("interpreter's name", INTERPRETER),
        Canary("one-time code", code, kind="number"),
        Canary("session", sid, REGION),
        Canary("ref", ref, REGION, kind="short"),
    ]


def appointment_parts() -> dict[str, object]:
    """Everything of a patient that a booking system might put into an Appointment."""
    name, number, _, reason, booking = PATIENT.values()
    who = {"display": name, "identifier": {"system": "urn:oid:1.2.752.129.2.1.3.1", "value": number}}
    return {
        "identifier": [{"system": "urn:demo:tidbok", "value": booking}],
        "description": reason,
        "comment": f"{name} {PATIENT['personnummer with hyphen']}",
        "reasonCode": [{"text": reason}],
        "participants": [{"actor": who, "status": "accepted"}],
    }


def search(places: Mapping[str, Path], wanted: Sequence[Canary]) -> list[Finding]:
    """Each canary in each file where it has no place. `places`: what a folder is called in the findings."""
    patterns = [(canary, canary.pattern()) for canary in wanted]
    found = []
    for prefix, place in places.items():
        for file in files(place):
            name, content = prefix + str(file.relative_to(place)), read(file)
            for canary, pattern in patterns:
                if not name.startswith(canary.may_be_in or ("\0",)) and pattern.search(content):
                    found.append(Finding(canary.name, name))
    return found
