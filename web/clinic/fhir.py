"""The door for booking systems: FHIR R4 over HTTP with a bearer token (RFC 6750)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, abort, g, request
from werkzeug.exceptions import HTTPException

from web.clinic.security import FHIR_PREFIX
from web.clinic.state import clinic

pages = Blueprint("fhir", __name__, url_prefix=FHIR_PREFIX)
MEDIA_TYPE = "application/fhir+json"
_ACCEPTED = frozenset({MEDIA_TYPE, "application/json"})
_OPEN = frozenset({"fhir.metadata"})
_ISSUE_CODES = {401: "login", 403: "forbidden", 404: "not-found", 405: "not-supported", 413: "too-long"}
"""HTTP status to http://hl7.org/fhir/issue-type; `invalid` for the rest."""


@pages.before_request
def authorise() -> None:
    """Every request but metadata's names its client by a bearer token."""
    if request.endpoint in _OPEN:
        return
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    client = clinic().bookings.authorise(token.strip()) if scheme.lower() == "bearer" and token else None
    if client is None:
        abort(401)
    g.client = client


@pages.post("/Appointment")
def post_appointment() -> Response:
    """Create, move or cancel."""
    status, body = clinic().bookings.post_appointment(g.client, _resource("Appointment"))
    response = answer(status, body)
    if status == 201 and isinstance(body.get("id"), str):
        response.headers["Location"] = f"/fhir/Appointment/{body['id']}"
    return response


@pages.get("/Appointment/<appointment_id>")
def get_appointment(appointment_id: str) -> Response:
    """What was kept of one Appointment."""
    return answer(*clinic().bookings.get_appointment(g.client, appointment_id))


@pages.post("")
@pages.post("/")
def post_bundle() -> Response:
    """A batch, answered entry by entry."""
    return answer(*clinic().bookings.post_bundle(g.client, _resource("Bundle")))


@pages.get("/metadata")
def metadata() -> Response:
    """What this door does, as a CapabilityStatement."""
    here = clinic()
    base = here.settings.public_url.rstrip("/") + FHIR_PREFIX
    appointment = {
        "type": "Appointment",
        "interaction": [{"code": "read"}, {"code": "create"}],
        "conditionalCreate": False,
    }
    return answer(
        200,
        {
            "resourceType": "CapabilityStatement",
            "status": "active",
            "date": here.now().strftime("%Y-%m-%d"),
            "kind": "instance",
            "implementation": {"description": "Hälsorum", "url": base},
            "fhirVersion": "4.0.1",
            "format": [MEDIA_TYPE],
            "rest": [{"mode": "server", "resource": [appointment], "interaction": [{"code": "batch"}]}],
        },
    )


def answer(status: int, body: Mapping[str, Any]) -> Response:
    """A FHIR response."""
    text = json.dumps(body, ensure_ascii=False, default=str)
    return Response(text, status=status, mimetype=MEDIA_TYPE)


def outcome(error: HTTPException) -> Response:
    """An OperationOutcome for what HTTP refused. It says what to do, and repeats nothing of the request."""
    status = error.code or 500
    issue = {
        "severity": "fatal" if status >= 500 else "error",
        "code": _ISSUE_CODES.get(status, "exception" if status >= 500 else "invalid"),
        "diagnostics": error.description or error.name,
    }
    response = answer(status, {"resourceType": "OperationOutcome", "issue": [issue]})
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="halsorum"'
    return response


def _resource(expected: str) -> dict[str, Any]:
    if request.mimetype not in _ACCEPTED:
        abort(415, f"Send {MEDIA_TYPE}.")
    try:
        body = json.loads(request.get_data())
    except (ValueError, RecursionError):
        abort(400, "The body is no JSON.")
    if not isinstance(body, dict) or body.get("resourceType") != expected:
        abort(400, f"The body must be one {expected}.")
    return body
