"""FHIR Appointments in and out; what tells who the patient is goes nowhere."""

from __future__ import annotations

import copy
import json
import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.appointment import Appointment
from fhir.resources.R4B.operationoutcome import OperationOutcome
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from agent.contract.schedule import code_digest
from provisioning.accounts import Clients
from provisioning.booking import Bookings
from provisioning.database import Database
from provisioning.fhir import INVITATION, FhirBookings
from provisioning.models import BookedSession

CANARY = "Kanariefågel-19121212-1212"


@pytest.fixture
def api(database: Database, clients: Clients, bookings: Bookings) -> FhirBookings:
    return FhirBookings(database, clients, bookings, public_url="https://video.example/")


@pytest.fixture
def client(clients: Clients, api: FhirBookings) -> str:
    return clients.add("Tidbok", "Norra vårdcentralen")[0]


@pytest.fixture
def resource(clock: Any) -> dict[str, Any]:
    """An Appointment as a careless booking system sends it: full of the patient."""
    start = clock.now + timedelta(hours=1)
    return {
        "resourceType": "Appointment",
        "language": "fi-FI",
        "identifier": [{"system": "https://tidbok.example/id", "value": f"B-17-{CANARY}"}],
        "status": "booked",
        "text": {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{CANARY}</div>'},
        "contained": [{"resourceType": "Patient", "id": "p", "name": [{"text": CANARY}]}],
        "extension": [{"url": "https://x.example/e", "valueString": CANARY}],
        "serviceType": [{"text": CANARY}],
        "reasonCode": [{"text": CANARY}],
        "description": CANARY,
        "comment": CANARY,
        "patientInstruction": CANARY,
        "start": start.isoformat(),
        "end": (start + timedelta(minutes=30)).isoformat(),
        "participant": [
            {"actor": {"reference": f"Patient/{CANARY[-8:]}", "display": CANARY}, "status": "accepted"},
            {"actor": {"reference": "Location/east", "display": CANARY}, "status": "accepted"},
        ],
    }


def sessions(database: Database) -> list[BookedSession]:
    with database.read() as db:
        return list(db.scalars(select(BookedSession)))


def invitation(body: Any) -> dict[str, str]:
    (extension,) = body["extension"]
    assert extension["url"] == INVITATION
    return {part["url"]: part.get("valueString") or part["valueUrl"] for part in extension["extension"]}


def test_a_new_appointment_books_and_carries_the_invitation_this_once(
    api: FhirBookings, client: str, resource: dict[str, Any], database: Database
) -> None:
    status, body = api.post_appointment(client, resource)
    (row,) = sessions(database)
    told = invitation(body)

    assert status == 201
    assert row.code_digest == code_digest(told["code"], row.salt)
    assert told["link"] == f"https://video.example/visit#{told['token']}"
    assert (row.room_id, row.language) == ("east", "fi")
    Appointment.model_validate(json.loads(json.dumps(body)))
    for again in (api.get_appointment(client, row.sid), api.post_appointment(client, resource)):
        assert again[0] == 200
        assert "extension" not in again[1]
        assert again[1]["status"] == "booked"


def test_nothing_of_the_patient_is_stored_logged_or_answered(
    api: FhirBookings,
    client: str,
    resource: dict[str, Any],
    database_file: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    broken: list[dict[str, Any]] = [copy.deepcopy(resource) for _ in range(5)]
    broken[0][CANARY] = CANARY
    broken[1]["status"] = CANARY
    broken[2]["start"] = CANARY
    broken[3]["participant"] = [{"status": "accepted", "actor": {CANARY: CANARY}}]
    broken[4]["participant"][1]["actor"]["reference"] = f"Location/{CANARY[-8:]}"
    answers = [api.post_appointment(client, each) for each in (*broken, resource)]

    assert [status for status, _ in answers] == [400, 400, 400, 400, 422, 201]
    stored = b"".join(file.read_bytes() for file in database_file.parent.iterdir())
    assert b"east" in stored
    heard = "".join(capfd.readouterr()) + caplog.text + json.dumps(answers, ensure_ascii=False)
    for piece in (CANARY, CANARY[-8:], "Kanarief"):
        assert piece.encode() not in stored
        assert piece not in heard


def test_the_same_identifier_moves_cancels_and_otherwise_changes_nothing(
    api: FhirBookings, client: str, resource: dict[str, Any], database: Database
) -> None:
    api.post_appointment(client, resource)
    (first,) = sessions(database)
    later = first.start + timedelta(hours=2)
    resource |= {"start": later.isoformat(), "end": (later + timedelta(minutes=45)).isoformat()}
    for _ in range(2):
        assert api.post_appointment(client, resource)[0] == 200
    (moved,) = sessions(database)
    assert (moved.sid, moved.start, moved.version) == (first.sid, later, 2)

    resource["status"] = "cancelled"
    for _ in range(2):
        status, body = api.post_appointment(client, resource)
        assert (status, body["status"]) == (200, "cancelled")
    resource["status"] = "booked"
    assert api.post_appointment(client, resource)[0] == 422


def test_two_clients_may_use_the_same_identifier(
    api: FhirBookings, client: str, clients: Clients, resource: dict[str, Any], database: Database
) -> None:
    other = clients.add("Annan tidbok", "Norra vårdcentralen")[0]
    api.post_appointment(client, resource)
    resource["participant"][1]["actor"]["reference"] = "https://tidbok.example/fhir/Location/west"
    assert api.post_appointment(other, resource)[0] == 201
    assert len(sessions(database)) == 2


def change(name: str, value: Any) -> Any:
    return lambda r: r.__setitem__(name, value)


@pytest.mark.parametrize(
    ("spoil", "status", "path"),
    [
        (change("resourceType", "Patient"), 400, "Appointment"),
        (lambda r: r.pop("status"), 400, "Appointment"),
        (change("status", "maybe"), 400, "Appointment.status"),
        (change("participant", []), 400, "Appointment"),
        (lambda r: r["participant"][0].pop("status"), 400, "Appointment.participant"),
        (lambda r: r["participant"][0].update(status="perhaps"), 400, "Appointment.participant[0].status"),
        (change("start", "2026-11-23"), 400, "Appointment.start"),
        (change("start", "2026-11-23T10:00:00"), 400, "Appointment.start"),
        (lambda r: r.pop("end"), 400, "Appointment"),
        (lambda r: r.update(start=r["end"], end=r["start"]), 422, "Appointment.end"),
        (change("unknownElement", 1), 400, "Appointment"),
        (lambda r: r.pop("identifier"), 422, "Appointment.identifier"),
        (change("status", "cancelled"), 422, "Appointment.identifier"),
        (lambda r: r["participant"].pop(1), 422, "Appointment.participant.actor"),
        (
            lambda r: r["participant"].append(
                {"actor": {"reference": "Location/west"}, "status": "accepted"}
            ),
            400,
            "Appointment.participant",
        ),
        (
            lambda r: r["participant"][1]["actor"].update(reference="Location/attic"),
            422,
            "Appointment.participant.actor",
        ),
    ],
)
def test_a_bad_appointment_is_answered_with_the_element_and_books_nothing(
    api: FhirBookings,
    client: str,
    resource: dict[str, Any],
    database: Database,
    spoil: Any,
    status: int,
    path: str,
) -> None:
    spoil(resource)
    answered, body = api.post_appointment(client, resource)
    assert answered == status
    assert body["issue"][0]["expression"][0].startswith(path)
    OperationOutcome.model_validate(body)
    assert sessions(database) == []


def test_a_clash_is_409_and_names_the_other_time(
    api: FhirBookings, client: str, resource: dict[str, Any]
) -> None:
    api.post_appointment(client, resource)
    resource["identifier"] = [{"value": "another"}]
    status, body = api.post_appointment(client, resource)
    assert status == 409
    assert "10:00–10:30" in body["issue"][0]["diagnostics"]


def test_a_batch_is_answered_entry_by_entry(api: FhirBookings, client: str, resource: dict[str, Any]) -> None:
    bad = {**resource, "status": "maybe"}
    request = {"method": "POST", "url": "Appointment"}
    entries = [
        {"request": request, "resource": bad},
        {"request": request, "resource": resource},
        {"request": {"method": "DELETE", "url": "Appointment/1"}},
        "nonsense",
    ]
    status, body = api.post_bundle(client, {"resourceType": "Bundle", "type": "batch", "entry": entries})
    assert status == 200
    assert [entry["response"]["status"] for entry in body["entry"]] == ["400", "201", "400", "400"]
    assert invitation(body["entry"][1]["resource"])["code"]
    assert api.post_bundle(client, {"resourceType": "Bundle", "type": "transaction"})[0] == 400


def test_another_clinics_client_neither_books_nor_reads(
    api: FhirBookings, client: str, clients: Clients, resource: dict[str, Any], database: Database
) -> None:
    stranger = clients.add("Södra tidbok", "Södra vårdcentralen")[0]
    assert api.post_appointment(stranger, resource)[0] == 403
    api.post_appointment(client, resource)
    assert api.get_appointment(stranger, sessions(database)[0].sid)[0] == 404
    assert api.post_appointment("nobody", resource)[0] == 401


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(
    ["resourceType", "identifier", "status", "start", "end", "participant", "language", "text", "contained"]
)


@given(st.dictionaries(names, json_values, min_size=1))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_comes_is_answered_and_never_breaks(
    api: FhirBookings, client: str, resource: dict[str, Any], spoiled: dict[str, Any]
) -> None:
    status, body = api.post_appointment(client, copy.deepcopy(resource) | spoiled)
    assert status in {200, 201} or (400 <= status < 500 and body["resourceType"] == "OperationOutcome")
