"""Who the unit is: its certificate, and the key that never leaves it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from agent.contract.topics import UNIT_PATTERN

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Identity:
    """A unit's name as its certificate says it, and what it can prove with its key. Used on the event loop."""

    unit: str
    certificate_sha256: str
    not_after: datetime
    _key: ec.EllipticCurvePrivateKey
    not_before: datetime = _LONG_AGO

    def sign(self, digest_hex: str) -> str:
        """ECDSA P-256 over a SHA-256 digest: DER in base64."""
        algorithm = ec.ECDSA(utils.Prehashed(hashes.SHA256()))
        return base64.b64encode(self._key.sign(bytes.fromhex(digest_hex), algorithm)).decode()

    def become(self, other: Identity) -> None:
        """Go on with another certificate and key for the same name. Raises ValueError for another name."""
        if other.unit != self.unit:
            raise ValueError(f"{self.unit} cannot go on as {other.unit}")
        self.certificate_sha256, self._key = other.certificate_sha256, other._key
        self.not_before, self.not_after = other.not_before, other.not_after


def load_identity(certificate_file: Path, key_file: Path) -> Identity:
    """Read the unit's certificate and key. Raises ValueError or OSError with the file's name."""
    try:
        certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
        key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
    except ValueError:
        raise ValueError(f"{certificate_file.name} or {key_file.name}: is not PEM") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError(f"{key_file.name}: the unit's key must be an elliptic curve key")
    if certificate.public_key() != key.public_key():
        raise ValueError(f"{certificate_file.name}: the certificate is for another key than {key_file.name}")
    return Identity(
        unit=name_in(certificate),
        certificate_sha256=certificate.fingerprint(hashes.SHA256()).hex(),
        not_after=certificate.not_valid_after_utc,
        _key=key,
        not_before=certificate.not_valid_before_utc,
    )


def name_in(certificate: x509.Certificate) -> str:
    """The one name that a certificate is for. Raises ValueError."""
    names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    if len(names) != 1 or not UNIT_PATTERN.fullmatch(str(names[0].value)):
        raise ValueError("the certificate must name one unit")
    return str(names[0].value)


def require_own(certificate: x509.Certificate, key: object, authorities: Sequence[x509.Certificate]) -> None:
    """Raise ValueError unless the certificate is for that key, names one unit, and was signed by one of the
    authorities where any are given."""
    if not isinstance(key, ec.EllipticCurvePrivateKey) or certificate.public_key() != key.public_key():
        raise ValueError("it is not for the key that asked")
    name_in(certificate)
    if authorities and not any(_signed_by(certificate, authority) for authority in authorities):
        raise ValueError("it is not signed by the authority that came with it")


def _signed_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
