"""FHIR R4 for booking systems (web.clinic.services.BookingApi): an Appointment books a room.

A new Appointment is answered with what was kept of it and, this once, with the patient's invitation as the
extension INVITATION: `code` (valueString, only where check-in by code is allowed), `token` (valueString, the
text of the QR code), `link` (valueUrl, the page that shows the QR code) and `ref` (valueString, for screens).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from provisioning.accounts import Clients
from provisioning.appointment import BadAppointment, Wanted, read_appointment
from provisioning.booking import Booker, Bookings, Source
from provisioning.database import Database
from provisioning.identifiers import keyed_digest
from provisioning.models import BookedSession
from provisioning.people_models import ApiClient
from web.clinic.services import BookingRequest, Clash, Invitation, NotAllowed, Refused

log = logging.getLogger(__name__)

INVITATION = "urn:halsorum:fhir:invitation"
MOST_ENTRIES = 200
METHODS = ("code", "qr", "staff")
Answer = tuple[int, Mapping[str, Any]]
_STATUS = {
    "waiting": "checked-in",
    "admitted": "checked-in",
    "in_call": "checked-in",
    "ended": "fulfilled",
    "wiped": "fulfilled",
    "no_show": "noshow",
}
_FIELDS = {
    "start": "Appointment.start",
    "end": "Appointment.end",
    "room_id": "Appointment.participant.actor",
    "language": "Appointment.language",
}


@dataclass(eq=False)
class Issue(Exception):
    """Why a request was not done: HTTP status, and what OperationOutcome.issue says."""

    status: int
    code: str
    expression: str
    diagnostics: str


class FhirBookings:
    """Every method may be called on any thread."""

    def __init__(
        self,
        database: Database,
        clients: Clients,
        bookings: Bookings,
        *,
        public_url: str,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = database
        self._clients = clients
        self._bookings = bookings
        self._public_url = public_url.rstrip("/")
        self._changed = changed

    def authorise(self, bearer_token: str) -> str | None:
        """The client's id, or None."""
        return self._clients.authorise(bearer_token)

    def post_appointment(self, client: str, resource: Mapping[str, Any]) -> Answer:
        """Create (201), or, by its business identifier, move, cancel or leave as it is (200)."""
        try:
            answer = self._post(client, resource)
        except Issue as issue:
            log.info("Appointment refused: %d at %s", issue.status, issue.expression)
            return issue.status, outcome(issue)
        self._changed()
        return answer

    def post_bundle(self, client: str, resource: Mapping[str, Any]) -> Answer:
        """A batch: each entry is done for itself, and answered in the same order."""
        entries = resource.get("entry", [])
        if resource.get("resourceType") != "Bundle" or resource.get("type") != "batch":
            return _refused(Issue(400, "structure", "Bundle.type", "is batch; nothing else is done here"))
        if not isinstance(entries, list) or len(entries) > MOST_ENTRIES:
            return _refused(Issue(413, "too-long", "Bundle.entry", f"has at most {MOST_ENTRIES} entries"))
        answers = [self._entry(client, entry) for entry in entries]
        return 200, {"resourceType": "Bundle", "type": "batch-response", "entry": answers}

    def get_appointment(self, client: str, appointment_id: str) -> Answer:
        """What was kept of one Appointment of this client's clinic; the invitation is not."""
        try:
            booker = self._booker(client)
        except Issue as issue:
            return _refused(issue)
        with self._database.read() as db:
            row = db.get(BookedSession, appointment_id)
            if row is None or row.room.clinic_id != booker.clinic_id:
                return _refused(Issue(404, "not-found", "Appointment.id", "is not known here"))
            return 200, as_resource(row)

    def _entry(self, client: str, entry: object) -> dict[str, Any]:
        request = entry.get("request") if isinstance(entry, dict) else None
        resource = entry.get("resource") if isinstance(entry, dict) else None
        posts = isinstance(request, dict) and request.get("method") == "POST"
        if not posts or not isinstance(resource, dict):
            issue = Issue(400, "structure", "Bundle.entry", "is a POST of an Appointment")
            return {"response": {"status": "400", "outcome": outcome(issue)}}
        status, body = self.post_appointment(client, resource)
        if status >= 400:
            return {"response": {"status": str(status), "outcome": body}}
        response = {"status": str(status), "location": f"Appointment/{body['id']}"}
        return {"resource": body, "response": response}

    def _post(self, client: str, resource: Mapping[str, Any]) -> Answer:
        try:
            wanted = read_appointment(resource)
        except BadAppointment as bad:
            raise Issue(400, bad.code, bad.path, bad.reason) from None
        booker = self._booker(client)
        digests = [self._digest(client, *pair) for pair in wanted.identifiers]
        source = Source(client, digests[0] if digests else None)
        try:
            try:
                known = self._find(client, digests)
                return self._update(booker, wanted, known) if known else self._create(booker, wanted, source)
            except (Clash, IntegrityError):
                # The same one may have been posted twice at once: the other is then the booking.
                known = self._find(client, digests)
                if known is None:
                    raise
                return self._update(booker, wanted, known)
        except Clash as clash:
            raise Issue(409, "conflict", "Appointment.start", clash.reason) from None
        except Refused as refused:
            path = _FIELDS.get(refused.field_name, "Appointment")
            code = "not-found" if refused.field_name == "room_id" else "business-rule"
            raise Issue(422, code, path, refused.reason) from None
        except NotAllowed:
            raise Issue(403, "forbidden", _FIELDS["room_id"], "is another clinic's room") from None

    def _create(self, booker: Booker, wanted: Wanted, source: Source) -> Answer:
        if wanted.action != "book":
            raise Issue(
                422, "not-found", "Appointment.identifier", "is not known here, so nothing is changed"
            )
        if source.identifier_digest is None:
            reason = "is required with a value, so that a repeated post is not a second booking"
            raise Issue(422, "required", "Appointment.identifier", reason)
        if wanted.room_id is None:
            reason = "names no Location; a room is booked as Location/<id>"
            raise Issue(422, "required", _FIELDS["room_id"], reason)
        if wanted.start is None or wanted.end is None:
            raise Issue(422, "required", "Appointment.start", "and end are required to book")
        request = BookingRequest(
            room_id=wanted.room_id,
            start=wanted.start,
            end=wanted.end,
            language=wanted.language or "sv",
            methods=METHODS,
        )
        invitation = self._bookings.book(booker, request, source)
        kept = self._kept(invitation.sid)
        return 201, {**kept, "extension": [self._invitation(invitation)]}

    def _update(self, booker: Booker, wanted: Wanted, row: BookedSession) -> Answer:
        if wanted.room_id not in {None, row.room_id, row.booked_room_id}:
            reason = "is another room; cancel and book anew, since the invitation names the room"
            raise Issue(422, "business-rule", _FIELDS["room_id"], reason)
        if wanted.action == "cancel":
            if not row.cancelled:
                self._bookings.cancel(booker, row.sid)
        elif wanted.action == "book" and row.cancelled:
            reason = "was cancelled; book anew with another identifier"
            raise Issue(422, "business-rule", "Appointment.status", reason)
        elif wanted.action == "book" and wanted.start is not None and wanted.end is not None:
            self._bookings.move(booker, row.sid, wanted.start, wanted.end)
        return 200, self._kept(row.sid)

    def _booker(self, client: str) -> Booker:
        with self._database.read() as db:
            row = db.get(ApiClient, client)
        if row is None or not row.active:
            raise Issue(401, "login", "Appointment", "needs a client that may post")
        return Booker(row.id, "booking_system", "token", row.clinic_id)

    def _digest(self, client: str, system: str, value: str) -> str:
        # A business identifier may itself tell something, so that only a keyed digest of it is kept.
        return keyed_digest(self._database.fact("secret"), "appointment", client, system, value)

    def _find(self, client: str, digests: list[str]) -> BookedSession | None:
        with self._database.read() as db:
            query = select(BookedSession).where(
                BookedSession.client_id == client, BookedSession.identifier_digest.in_(digests)
            )
            return db.scalars(query).first()

    def _kept(self, sid: str) -> dict[str, Any]:
        with self._database.read() as db:
            return as_resource(db.get_one(BookedSession, sid))

    def _invitation(self, invitation: Invitation) -> dict[str, Any]:
        parts: list[dict[str, Any]] = [
            {"url": "ref", "valueString": invitation.ref},
            {"url": "token", "valueString": invitation.token},
            {"url": "link", "valueUrl": f"{self._public_url}/visit#{invitation.token}"},
        ]  # check-in by QR is always allowed here (METHODS)
        if invitation.code:
            parts.append({"url": "code", "valueString": invitation.code})
        return {"url": INVITATION, "extension": parts}


def as_resource(row: BookedSession) -> dict[str, Any]:
    """The Appointment as it is kept here: a room and a time."""
    status = "cancelled" if row.cancelled else _STATUS.get(row.state, "booked")
    actor = {"reference": f"Location/{row.room_id}", "display": row.room.name}
    return {
        "resourceType": "Appointment",
        "id": row.sid,
        "meta": {"versionId": str(row.version)},
        "status": status,
        "start": row.start.isoformat(timespec="seconds"),
        "end": row.end.isoformat(timespec="seconds"),
        "minutesDuration": max(1, int((row.end - row.start).total_seconds() // 60)),
        "participant": [{"actor": actor, "status": "accepted"}],
    }


def outcome(issue: Issue) -> dict[str, Any]:
    """OperationOutcome (http://hl7.org/fhir/R4/operationoutcome.html) in our own words."""
    detail = {
        "severity": "error",
        "code": issue.code,
        "diagnostics": f"{issue.expression} {issue.diagnostics}",
        "expression": [issue.expression],
    }
    return {"resourceType": "OperationOutcome", "issue": [detail]}


def _refused(issue: Issue) -> Answer:
    return issue.status, outcome(issue)
