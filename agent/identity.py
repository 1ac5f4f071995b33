"""Who the unit is: its certificate, and the key that never leaves it."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils


@dataclass(frozen=True, slots=True)
class Identity:
    """A unit's name as its certificate says it, and what it can prove with its key."""

    unit: str
    certificate_sha256: str
    not_after: datetime
    _key: ec.EllipticCurvePrivateKey

    def sign(self, digest_hex: str) -> str:
        """ECDSA P-256 over a SHA-256 digest: DER in base64."""
        algorithm = ec.ECDSA(utils.Prehashed(hashes.SHA256()))
        return base64.b64encode(self._key.sign(bytes.fromhex(digest_hex), algorithm)).decode()


def load_identity(certificate_file: Path, key_file: Path) -> Identity:
    """Read the unit's certificate and key. Raises ValueError or OSError with the file's name."""
    certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
    key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError(f"{key_file.name}: the unit's key must be an elliptic curve key")
    names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    if len(names) != 1:
        raise ValueError(f"{certificate_file.name}: the certificate must name one unit")
    return Identity(
        unit=str(names[0].value),
        certificate_sha256=certificate.fingerprint(hashes.SHA256()).hex(),
        not_after=certificate.not_valid_after_utc,
        _key=key,
    )
