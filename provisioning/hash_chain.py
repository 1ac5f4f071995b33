"""A list to which entries are added and in which any change shows: each entry's hash covers the one before."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

from pydantic_core import to_json
from sqlalchemy.orm import Session

from provisioning.models import Fact

GENESIS = ""


class Link(Protocol):
    """What every entry has."""

    seq: Any
    prev: Any
    hash: Any


Row = TypeVar("Row", bound=Link)


def extend(db: Session, head_name: str, row: Row, digest: Callable[[Row], str]) -> Row:
    """Put an entry at the end, in the caller's transaction. The head is a Fact, so that a cut-off end shows."""
    head = db.get_one(Fact, head_name, with_for_update=True)
    last, _, row.prev = head.value.partition(":")
    row.seq = int(last) + 1
    row.hash = digest(row)
    db.add(row)
    head.value = f"{row.seq}:{row.hash}"
    return row


def sha256_of(content: list[Any]) -> str:
    """SHA-256 in hex over plain values."""
    return hashlib.sha256(to_json(content)).hexdigest()


def fault_in_link(row: Row, seq: int, prev: str, digest: Callable[[Row], str]) -> str:
    """What is wrong with an entry that is to have this number and follow that hash; empty if nothing is."""
    if row.seq != seq:
        return f"entry {seq} is missing"
    if row.prev != prev:
        return "does not follow from the entry before it"
    if digest(row) != row.hash:
        return "was changed after it was written"
    return ""


def first_fault(
    db: Session, head_name: str, rows: Iterable[Row], digest: Callable[[Row], str]
) -> tuple[int, str]:
    """How many entries fit, and what is wrong with the next one (empty if nothing is)."""
    seq, prev = 0, GENESIS
    for row in rows:
        if reason := fault_in_link(row, seq + 1, prev, digest):
            return seq, reason
        seq, prev = row.seq, row.hash
    cut_off = db.get_one(Fact, head_name).value != f"{seq}:{prev}"
    return seq, "the log's end was cut off" if cut_off else ""
