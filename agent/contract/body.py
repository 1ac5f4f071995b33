"""What every message body shares: strict, frozen, unknown fields ignored."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

MAX_BODY_BYTES = 256 * 1024
"""A larger message is refused unread."""


class ContractError(ValueError):
    """A message that breaks the contract. It names the topic and the field, and never carries the payload."""

    def __init__(self, topic: str, field: str, reason: str) -> None:
        super().__init__(f"{topic}: {field}: {reason}")
        self.topic = topic
        self.field = field
        self.reason = reason


class Body(BaseModel):
    """Base of every body: JSON types are taken as they are, fields we do not know are ignored."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", populate_by_name=True)


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a time needs its offset from UTC")
    return value


Instant = Annotated[datetime, AfterValidator(_aware)]
"""RFC 3339 date-time with offset."""

UnitId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
SessionId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{8,40}$")]
PeerId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{4,40}$")]
CommandId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{4,64}$")]
Kind = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{1,39}$")]
ShortText = Annotated[str, StringConstraints(max_length=120)]
LongText = Annotated[str, StringConstraints(max_length=500)]
HexDigest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32,128}$")]
