"""How a unit gets its certificate: from its bootstrap identity (`b/{serial}`), and from its own when it renews.

A unit enrols under its serial number with a bootstrap certificate of its own; the region chooses the name that it
works under. Keys are made on the unit and stay there: what travels is a signing request (RFC 2986).
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from agent.contract.body import Body, HexDigest, Instant, LongText, ShortText, UnitId
from agent.contract.unit_config import BrokerAddress, Pem


class EnrolRequest(Body):
    """`b/{serial}/up/enrol`: said again every half minute until it is answered; the same key, the same request."""

    csr: Pem = Field(description="PKCS #10, EC P-256, in PEM; the region ignores its subject.")
    why: Literal["new", "expired", "reset"] = "new"
    was: UnitId | None = Field(None, description="The name under which it worked before.")
    software: ShortText = ""
    board: ShortText = ""


class EnrolReply(Body):
    """`b/{serial}/dn/enrol`, retained until the unit has shown itself under its new name.

    `waiting`: IT has not decided. `approved`: with all that it needs. `rejected`, `expired` (nobody decided in
    time) and `conflict` (two keys ask under one serial number): with the reason; it may ask anew.
    """

    state: Literal["waiting", "approved", "rejected", "expired", "conflict"]
    request: HexDigest = Field(description="SHA-256 of the signing request's DER: which one this answers.")
    unit: UnitId | None = None
    certificate: Pem | None = None
    ca: Pem | None = Field(None, description="Authorities that the broker's certificate may come from.")
    broker: BrokerAddress | None = None
    reason: LongText = ""
    ask_again_at: Instant | None = None


class CertificateRequest(Body):
    """`up/renewal`: a working unit asks for its next certificate, or for a new bootstrap certificate."""

    csr: Pem
    purpose: Literal["operational", "bootstrap"] = "operational"


class CertificateReply(Body):
    """`dn/renewal`: the certificate, or why not. The same request is given the same certificate."""

    state: Literal["issued", "rejected"]
    request: HexDigest
    purpose: Literal["operational", "bootstrap"] = "operational"
    certificate: Pem | None = None
    ca: Pem | None = None
    reason: LongText = ""
