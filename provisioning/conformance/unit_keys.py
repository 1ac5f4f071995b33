"""A played unit's key: what it signs events with, and the requests for its next certificates."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from agent.contract.events import Event, EventKind, event_hash
from provisioning.conformance.peer import Credentials, now


class UnitKeys:
    """Of the certificate that the unit works under."""

    def __init__(self, credentials: Credentials) -> None:
        """Raises ValueError if the key is not one on an elliptic curve."""
        self.certificate = x509.load_pem_x509_certificate(credentials.certificate_file.read_bytes())
        key = serialization.load_pem_private_key(credentials.key_file.read_bytes(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError(f"{credentials.key_file}: the key must be an elliptic curve key")
        self._key = key

    @property
    def certificate_sha256(self) -> str:
        """Of the certificate, in hex."""
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    @property
    def not_after(self) -> datetime:
        """Until when it is good."""
        return self.certificate.not_valid_after_utc

    def event(self, epoch: int, seq: int, prev: str, kind: EventKind = "unit_started") -> Event:
        """A signed event of a chain."""
        at = now()
        digest = event_hash(
            epoch=epoch, seq=seq, prev=prev, at=at.isoformat(), kind=kind, sid=None, fields={"played": True}
        )
        algorithm = ec.ECDSA(utils.Prehashed(hashes.SHA256()))
        signature = base64.b64encode(self._key.sign(bytes.fromhex(digest), algorithm)).decode()
        return Event(
            epoch=epoch,
            seq=seq,
            prev=prev,
            at=at,
            kind=kind,
            fields={"played": True},
            hash=digest,
            signature=signature,
        )


class SigningRequest:
    """A new key's request (RFC 2986), under whatever subject; the key is forgotten with it."""

    def __init__(self, subject: str) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)])
        request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
        self.pem = request.public_bytes(serialization.Encoding.PEM).decode()
        self.sha256 = hashlib.sha256(request.public_bytes(serialization.Encoding.DER)).hexdigest()
        self._public = key.public_key()

    def what_is_wrong_with(self, certificate_pem: str, unit: str) -> str:
        """Empty if a certificate is for this key and names that unit."""
        certificate = x509.load_pem_x509_certificate(certificate_pem.encode())
        names = [
            str(each.value) for each in certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        ]
        if certificate.public_key() != self._public:
            return "is for another key"
        if names != [unit]:
            return "does not name the unit that the region knows"
        if not certificate.not_valid_before_utc <= now() <= certificate.not_valid_after_utc:
            return "is not valid now"
        return ""
