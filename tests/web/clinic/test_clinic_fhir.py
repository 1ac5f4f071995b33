from __future__ import annotations

import json

import pytest
from clinic_fakes import CANARY, TOKEN

BEARER = {"Authorization": f"Bearer {TOKEN}"}
APPOINTMENT = {"resourceType": "Appointment", "status": "booked"}


@pytest.mark.parametrize("media_type", ["application/fhir+json", "application/json; charset=utf-8"])
def test_an_appointment_is_handed_on_and_answered(stranger, region, media_type):
    answer = stranger.client.post(
        "/fhir/Appointment", data=json.dumps(APPOINTMENT), headers=BEARER, content_type=media_type
    )
    assert answer.status_code == 201
    assert answer.mimetype == "application/fhir+json"
    assert answer.headers["Location"] == "/fhir/Appointment/77"
    assert region.posted == [APPOINTMENT]


def test_a_batch_and_a_read(stranger, region):
    bundle = {"resourceType": "Bundle", "type": "batch", "entry": []}
    answer = stranger.client.post("/fhir", json=bundle, headers=BEARER)
    assert (answer.status_code, answer.json["type"]) == (200, "batch-response")
    assert stranger.client.get("/fhir/Appointment/77", headers=BEARER).json["id"] == "77"
    assert stranger.client.get("/fhir/Appointment/78", headers=BEARER).status_code == 404


@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        (b"{" + CANARY.encode(), "application/fhir+json", 400),
        (b"[" * 100_000, "application/fhir+json", 400),
        (b"[]", "application/fhir+json", 400),
        (b'{"resourceType": "Patient"}', "application/fhir+json", 400),
        (b'{"resourceType": "Appointment"}', "text/plain", 415),
        (b" " * (256 * 1024 + 1), "application/fhir+json", 413),
    ],
)
def test_a_bad_body_is_refused_with_an_outcome_that_repeats_nothing(
    stranger, region, body, media_type, status
):
    answer = stranger.client.post("/fhir/Appointment", data=body, headers=BEARER, content_type=media_type)
    assert answer.status_code == status
    assert answer.mimetype == "application/fhir+json"
    assert answer.json["resourceType"] == "OperationOutcome"
    assert "canary" not in answer.text
    assert not region.posted


def test_unknown_addresses_and_methods_are_outcomes_too(stranger):
    assert stranger.client.get("/fhir/Patient", headers=BEARER).json["issue"][0]["code"] == "not-found"
    assert stranger.client.delete("/fhir/Appointment/77", headers=BEARER).status_code == 405


def test_metadata_is_open_and_names_only_what_there_is(stranger):
    statement = stranger.get("/fhir/metadata").json
    assert statement["fhirVersion"] == "4.0.1"
    assert [one["type"] for one in statement["rest"][0]["resource"]] == ["Appointment"]
