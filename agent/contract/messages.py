"""One table of all messages, and the way from bytes to a message and back."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import to_json

from agent.contract.body import MAX_BODY_BYTES, Body, ContractError, Instant, field_path, reason_of
from agent.contract.commands import Command, CommandReport
from agent.contract.enrolment import CertificateReply, CertificateRequest, EnrolReply, EnrolRequest
from agent.contract.events import Ack, Event, Intent, Notice
from agent.contract.quality import QUALITY_EXPIRY_S, QualityReport
from agent.contract.schedule import Schedule, ScheduleReport
from agent.contract.signalling import SIGNAL, SIGNAL_EXPIRY_S
from agent.contract.status import Info, Status
from agent.contract.telemetry import TELEMETRY_EXPIRY_S, Telemetry
from agent.contract.topics import Topic
from agent.contract.unit_config import Config, ConfigReport

VERSION = 1
RENEWAL_EXPIRY_S = 60
"""Requests are said again more often than this."""


@dataclass(frozen=True, slots=True)
class Channel:
    """How one channel is used: its bodies, whether the broker keeps the last, and when a message expires."""

    body: TypeAdapter[Any]
    retained: bool
    expiry_s: int | None = None


CHANNELS: dict[str, Channel] = {
    "up/status": Channel(TypeAdapter(Status), retained=True),
    "up/info": Channel(TypeAdapter(Info), retained=True),
    "dn/schedule": Channel(TypeAdapter(Schedule), retained=True),
    "up/schedule": Channel(TypeAdapter(ScheduleReport), retained=True),
    "dn/config": Channel(TypeAdapter(Config), retained=True),
    "up/config": Channel(TypeAdapter(ConfigReport), retained=True),
    "dn/cmd": Channel(TypeAdapter(Command), retained=True),
    "up/cmd": Channel(TypeAdapter(CommandReport), retained=True),
    "up/intent": Channel(TypeAdapter(Intent), retained=False),
    "dn/call": Channel(SIGNAL, retained=False, expiry_s=SIGNAL_EXPIRY_S),
    "up/call": Channel(SIGNAL, retained=False, expiry_s=SIGNAL_EXPIRY_S),
    "up/event": Channel(TypeAdapter(Event), retained=False),
    "up/event/quality": Channel(TypeAdapter(QualityReport), retained=False, expiry_s=QUALITY_EXPIRY_S),
    "up/event/telemetry": Channel(TypeAdapter(Telemetry), retained=False, expiry_s=TELEMETRY_EXPIRY_S),
    "dn/ack": Channel(TypeAdapter(Ack), retained=False, expiry_s=SIGNAL_EXPIRY_S),
    "dn/notice": Channel(TypeAdapter(Notice), retained=False, expiry_s=SIGNAL_EXPIRY_S),
    "up/renewal": Channel(TypeAdapter(CertificateRequest), retained=False, expiry_s=RENEWAL_EXPIRY_S),
    "dn/renewal": Channel(TypeAdapter(CertificateReply), retained=False, expiry_s=RENEWAL_EXPIRY_S),
    "up/enrol": Channel(TypeAdapter(EnrolRequest), retained=False, expiry_s=RENEWAL_EXPIRY_S),
    "dn/enrol": Channel(TypeAdapter(EnrolReply), retained=True),
}


class Envelope(Body):
    """What is around every body. `data` is checked afterwards, by the channel's model."""

    v: Literal[1]
    id: str
    ts: Instant
    rev: int | None = None
    expires_at: Instant | None = None
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """A message that keeps the contract."""

    topic: Topic
    id: str
    ts: datetime
    rev: int | None
    expires_at: datetime | None
    data: Any


def encode(
    data: BaseModel, *, now: datetime, rev: int | None = None, expires_at: datetime | None = None
) -> bytes:
    """The bytes of a message with data in its envelope; `now` is the sender's best knowledge of the time."""
    envelope: dict[str, Any] = {"v": VERSION, "id": str(uuid.uuid4()), "ts": now.astimezone(UTC)}
    if rev is not None:
        envelope["rev"] = rev
    if expires_at is not None:
        envelope["expires_at"] = expires_at.astimezone(UTC)
    envelope["data"] = data.model_dump(mode="json", by_alias=True, exclude_none=True)
    return to_json(envelope)


def decode(topic_text: str, payload: bytes) -> Message:
    """The message that came on a topic; raises ContractError with topic and field, never the payload."""
    topic = Topic.parse(topic_text)
    if len(payload) > MAX_BODY_BYTES:
        raise ContractError(topic_text, "body", f"is larger than {MAX_BODY_BYTES} bytes")
    try:
        envelope = Envelope.model_validate_json(payload)
        data = CHANNELS[topic.channel].body.validate_json(json.dumps(envelope.data))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise ContractError(
            topic_text, field_path(first["loc"]) or "body", reason_of(first["type"])
        ) from None
    except (RecursionError, ValueError):
        raise ContractError(topic_text, "body", "cannot be read as JSON") from None
    return Message(topic, envelope.id, envelope.ts, envelope.rev, envelope.expires_at, data)
