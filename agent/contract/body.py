"""What every message body shares: strict, frozen, unknown fields ignored."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import cache
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


def field_path(location: tuple[int | str, ...]) -> str:
    """A validator's location in words of the contract alone: a key that the sender made up is left out."""
    known = _field_names()
    return ".".join(str(part) for part in location if isinstance(part, int) or part in known)[:100]


def reason_of(kind: str) -> str:
    """A validator's kind of complaint in words; its own text may repeat the input, so it is not used."""
    return kind.replace("_", " ")


@cache
def _field_names() -> frozenset[str]:
    bodies = list(_bodies(Body))
    names = {name for body in bodies for name in body.model_fields}
    return frozenset(
        names | {field.alias for body in bodies for field in body.model_fields.values() if field.alias}
    )


def _bodies(body: type[Body]) -> Iterator[type[Body]]:
    yield body
    for inherited in body.__subclasses__():
        yield from _bodies(inherited)


YEARS = range(2000, 2200)
"""Times outside cannot be meant, and arithmetic on the first and last years of all overflows."""


def _instant(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a time needs its offset from UTC")
    if value.year not in YEARS:
        raise ValueError("a time must lie between the years 2000 and 2199")
    return value


Instant = Annotated[datetime, AfterValidator(_instant)]
"""RFC 3339 date-time with offset."""

UnitId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
SessionId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{8,40}$")]
PeerId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{4,40}$")]
CommandId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{4,64}$")]
Kind = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{1,39}$")]
ShortText = Annotated[str, StringConstraints(max_length=120)]
LongText = Annotated[str, StringConstraints(max_length=500)]
HexDigest = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{2}){16,64}$")]
