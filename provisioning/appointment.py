"""Reads a FHIR R4 Appointment: what books a room is taken, everything else is left at the door.

Nobody but this module sees the resource as it came. Nothing of it is logged, and a complaint names the
element and the rule, never what stood there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Literal

from pydantic import ValidationError

from provisioning.rooms import ROOM_ID

STATUSES = frozenset(
    [
        "proposed",
        "pending",
        "booked",
        "arrived",
        "fulfilled",
        "cancelled",
        "noshow",
        "entered-in-error",
        "checked-in",
        "waitlist",
    ]
)
"""http://hl7.org/fhir/R4/valueset-appointmentstatus.html: required binding."""
PARTICIPATION = frozenset({"accepted", "declined", "tentative", "needs-action"})
"""http://hl7.org/fhir/R4/valueset-participationstatus.html: required binding."""
_BOOKS = frozenset({"booked", "pending", "proposed"})
_CANCELS = frozenset({"cancelled", "entered-in-error"})
_REFERENCE = re.compile(rf"(?:.*/)?Location/({ROOM_ID.pattern})(?:/_history/.+)?", re.DOTALL)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
"""http://hl7.org/fhir/R4/datatypes.html#instant"""
MOST_IDENTIFIER_CHARS = 500

IssueCode = Literal["structure", "required", "value", "code-invalid", "invariant"]
"""From http://hl7.org/fhir/R4/valueset-issue-type.html."""


class BadAppointment(ValueError):
    """The resource cannot be used: a FHIRPath-like path of known element names, a rule in own words."""

    def __init__(self, path: str, reason: str, code: IssueCode = "value") -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason
        self.code = code


@dataclass(frozen=True, slots=True)
class Wanted:
    """All that is taken from an Appointment. `identifiers` are system and value, to be digested at once."""

    action: Literal["book", "cancel", "keep"]
    room_id: str | None
    start: datetime | None
    end: datetime | None
    identifiers: tuple[tuple[str, str], ...]
    language: str | None


def read_appointment(resource: Mapping[str, Any]) -> Wanted:
    """What an Appointment asks for; raises BadAppointment."""
    if resource.get("resourceType") != "Appointment":
        raise BadAppointment("Appointment", "is expected here", "structure")
    _check_model(resource)
    status = resource.get("status")
    if status not in STATUSES:
        raise BadAppointment("Appointment.status", "is not a code of the R4 value set", "code-invalid")
    if not resource.get("participant"):
        raise BadAppointment("Appointment.participant", "is required", "required")
    for index, participant in enumerate(_objects(resource, "participant")):
        if participant.get("status") not in PARTICIPATION:
            path = f"Appointment.participant[{index}].status"
            raise BadAppointment(path, "is not a code of the R4 value set", "code-invalid")
    action: Literal["book", "cancel", "keep"] = (
        "cancel" if status in _CANCELS else "book" if status in _BOOKS else "keep"
    )
    start, end = _instant(resource, "start"), _instant(resource, "end")
    if (start is None) != (end is None):
        raise BadAppointment("Appointment", "has start and end, or neither (app-2)", "invariant")
    language = str(resource.get("language", ""))[:2].lower()
    return Wanted(
        action=action,
        room_id=_room(resource),
        start=start,
        end=end,
        identifiers=tuple(_identifiers(resource)),
        language=language if re.fullmatch("[a-z]{2}", language) else None,
    )


def _objects(resource: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """An element that repeats; the library lets null pass for an empty one."""
    items = resource.get(name)
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _instant(resource: Mapping[str, Any], name: str) -> datetime | None:
    text = resource.get(name)
    if text is None:
        return None
    if not isinstance(text, str) or not _INSTANT.fullmatch(text):
        raise BadAppointment(f"Appointment.{name}", "is an instant with seconds and offset from UTC")
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise BadAppointment(f"Appointment.{name}", "is not a time that exists") from None


def _room(resource: Mapping[str, Any]) -> str | None:
    found = set()
    for participant in _objects(resource, "participant"):
        reference = (participant.get("actor") or {}).get("reference")
        match = _REFERENCE.fullmatch(reference) if isinstance(reference, str) else None
        if match:
            found.add(match.group(1))
    if len(found) > 1:
        raise BadAppointment("Appointment.participant", "names more than one Location; one room is booked")
    return found.pop() if found else None


def _identifiers(resource: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for identifier in _objects(resource, "identifier"):
        value = identifier.get("value")
        if value:
            yield (
                str(identifier.get("system", ""))[:MOST_IDENTIFIER_CHARS],
                str(value)[:MOST_IDENTIFIER_CHARS],
            )


def _check_model(resource: Mapping[str, Any]) -> None:
    model = _model()
    try:
        model.model_validate(dict(resource))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        path = _known_path(first["loc"])
        missing = first["type"] == "missing"
        reason = "is required" if missing else "is not as FHIR R4 has it"
        raise BadAppointment(path, reason, "required" if missing else "structure") from None
    except Exception:
        # The library raises other errors too, whose text repeats what came.
        raise BadAppointment("Appointment", "cannot be read as FHIR R4", "structure") from None


def _known_path(location: tuple[int | str, ...]) -> str:
    """A path of element names that FHIR has; a name that only the sender has is left out."""
    path = "Appointment"
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part in _element_names():
            path += f".{part}"
        else:
            break
    return path


@cache
def _model() -> Any:  # noqa: ANN401 - the library brings no types; imported late, since it takes a second
    from fhir.resources.R4B.appointment import Appointment

    return Appointment


@cache
def _element_names() -> frozenset[str]:
    from fhir.resources.R4B.appointment import AppointmentParticipant
    from fhir.resources.R4B.codeableconcept import CodeableConcept
    from fhir.resources.R4B.identifier import Identifier
    from fhir.resources.R4B.reference import Reference

    models = (_model(), AppointmentParticipant, Identifier, Reference, CodeableConcept)
    names = (name for model in models for name in model.model_fields)
    return frozenset(name for name in names if re.fullmatch("[a-zA-Z]+", name))
