"""Checks the meeting log: the region's chain of hashes, and in it every unit's signed chain."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from sqlalchemy import select
from sqlalchemy.orm import Session

from agent.contract.events import GENESIS, event_hash
from provisioning import hash_chain, meeting_log
from provisioning.hash_chain import fault_in_link
from provisioning.models import Fact, LogEntry, UnitKey

MISSING = "events_missing"
"""The region's own entry for events that a unit lost before they came here."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check of the log found. `bad_seq` is the first entry that does not fit, with the reason."""

    entries: int
    unit_events: int
    missing_events: int
    bad_seq: int | None = None
    reason: str = ""

    @property
    def ok(self) -> bool:
        """Whether everything fits; events that are known to be missing are told, not held against it."""
        return self.bad_seq is None


@dataclass
class _Chains:
    keys: dict[str, list[str]]
    heads: dict[str, tuple[int, int, str]] = field(default_factory=dict)
    missing: dict[str, tuple[int, int]] = field(default_factory=dict)
    missing_events: int = 0
    unit_events: int = 0


def verify(db: Session) -> Verdict:
    """Walk the whole log; stops at the first entry that was changed, is missing or is not the unit's own."""
    chains = _Chains(keys=_keys(db))
    prev, seq = hash_chain.GENESIS, 0
    for row in meeting_log.all_entries(db):
        in_chain = fault_in_link(row, seq + 1, prev, meeting_log.entry_hash)
        reason = in_chain or _fault_in_unit_event(row, chains)
        if reason:
            return Verdict(seq, chains.unit_events, chains.missing_events, row.seq, reason)
        prev, seq = row.hash, row.seq
    reason = (
        "" if db.get_one(Fact, meeting_log.HEAD).value == f"{seq}:{prev}" else "the log's end was cut off"
    )
    return Verdict(
        seq, chains.unit_events, chains.missing_events, bad_seq=seq + 1 if reason else None, reason=reason
    )


def signature_fits(public_keys: Sequence[str], digest: str, signature: str) -> bool:
    """Whether one of the keys (PEM, EC P-256) made this signature (base64 of DER) over the digest."""
    try:
        raw, message = base64.b64decode(signature, validate=True), bytes.fromhex(digest)
    except (binascii.Error, ValueError):
        return False
    for pem in public_keys:
        key = load_pem_public_key(pem.encode())
        if not isinstance(key, ec.EllipticCurvePublicKey):
            continue
        try:
            key.verify(raw, message, ec.ECDSA(utils.Prehashed(SHA256())))
        except InvalidSignature:
            continue
        return True
    return False


def keys_of(db: Session, unit: str) -> list[str]:
    """The public keys a unit has had, newest first."""
    query = select(UnitKey.public_key).where(UnitKey.unit_id == unit).order_by(UnitKey.id.desc())
    return list(db.scalars(query))


def _keys(db: Session) -> dict[str, list[str]]:
    keys: dict[str, list[str]] = {}
    for row in db.scalars(select(UnitKey)):
        keys.setdefault(row.unit_id, []).append(row.public_key)
    return keys


def _fault_in_unit_event(row: LogEntry, chains: _Chains) -> str:
    unit = row.unit_id or ""
    if row.kind == MISSING and row.source == "region":
        first, last = int(row.fields["first"]), int(row.fields["last"])
        chains.missing[unit] = (int(row.fields["epoch"]), last)
        chains.missing_events += last - first + 1
        return ""
    if row.source != "unit":
        return ""
    chains.unit_events += 1
    epoch, seq, prev = row.unit_epoch or 0, row.unit_seq or 0, row.unit_prev or ""
    if not _follows(chains, unit, epoch, seq, prev):
        return f"event {seq} does not follow in the chain of unit {unit}"
    at = meeting_log.instant_text(row.at)
    digest = event_hash(
        epoch=epoch, seq=seq, prev=prev, at=at, kind=row.kind, sid=row.sid, fields=dict(row.fields)
    )
    if digest != row.unit_hash:
        return f"event {seq} of unit {unit} is not what the unit signed"
    if not signature_fits(chains.keys.get(unit, []), digest, row.unit_signature or ""):
        return f"event {seq} is not signed with a key of unit {unit}"
    chains.heads[unit] = (epoch, seq, digest)
    return ""


def _follows(chains: _Chains, unit: str, epoch: int, seq: int, prev: str) -> bool:
    if chains.missing.pop(unit, None) == (epoch, seq - 1):
        return True
    head = chains.heads.get(unit)
    if head is not None and epoch == head[0]:
        return (seq, prev) == (head[1] + 1, head[2])
    return (head is None or epoch > head[0]) and (seq, prev) == (1, GENESIS)
