"""Units' signing requests (PKCS #10, RFC 2986) read with suspicion, and the two authorities that sign them.

Of a request only the key counts: its subject and its wishes for extensions are not even looked at.
"""

from __future__ import annotations

import binascii
import hashlib
import re
from base64 import b64decode
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from provisioning.enrolment_settings import EnrolmentSettings
from provisioning.pki import BOOTSTRAP, Authority

MOST_CHARACTERS = 4096
"""One with a P-256 key and no extensions has about 400."""
GUESSABLE = 64
"""Keys that belong to a private key as small as this are anybody's."""
_PEM = re.compile(
    r"\s*-----BEGIN (NEW )?CERTIFICATE REQUEST-----\s([A-Za-z0-9+/=\s]+)"
    r"-----END (NEW )?CERTIFICATE REQUEST-----\s*"
)
"""Its parts overlap nowhere: a box that sends thousands of spaces is not to hold up the worker for seconds."""


class BadRequest(ValueError):
    """A signing request that nobody is to sign. `request`: SHA-256 by which it is answered."""

    def __init__(self, request: str, reason: str) -> None:
        super().__init__(reason)
        self.request = request
        self.reason = reason


@dataclass(frozen=True, slots=True)
class SigningRequest:
    """A request that may be signed, if its key is new."""

    sha256: str
    """Of its DER, in hex."""
    key_sha256: str
    """Of the key alone: SubjectPublicKeyInfo in DER, its point uncompressed."""
    key: ec.EllipticCurvePublicKey
    subject_name: str | None
    """Its common name; for whoever makes a bootstrap certificate by hand, never for a unit's."""

    @property
    def key_pem(self) -> str:
        """The key in PEM."""
        return self.key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@dataclass(frozen=True, slots=True)
class Signed:
    """A certificate of ours."""

    pem: str
    sha256: str
    certificate: x509.Certificate


def read_request(pem: str) -> SigningRequest:
    """Check a request in PEM: its size, its key (EC P-256) and its signature. Raises BadRequest."""
    digest = hashlib.sha256(pem.encode()).hexdigest()
    if len(pem) > MOST_CHARACTERS:
        raise BadRequest(digest, f"the signing request is larger than {MOST_CHARACTERS} characters")
    match = _PEM.fullmatch(pem)
    if match is None:
        raise BadRequest(digest, "the signing request is not one PKCS #10 in PEM")
    try:
        der = b64decode("".join(match[2].split()), validate=True)
        digest = hashlib.sha256(der).hexdigest()
        request = x509.load_der_x509_csr(der)
        key = request.public_key()
        signed = request.is_signature_valid
        names = request.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    except (binascii.Error, ValueError, TypeError, UnsupportedAlgorithm):
        raise BadRequest(digest, "the signing request cannot be read") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise BadRequest(digest, "the key is not an elliptic curve key on P-256")
    if not signed or not isinstance(request.signature_hash_algorithm, _STRONG):
        raise BadRequest(digest, "the signing request is not signed with its own key and SHA-2")
    if key.public_numbers().x in _guessable():
        raise BadRequest(digest, "the key can be guessed")
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    name = str(names[0].value) if len(names) == 1 else None
    return SigningRequest(digest, hashlib.sha256(der).hexdigest(), key, name)


class Signer:
    """The two authorities, and how long what they sign is good."""

    def __init__(
        self, operational: Path, bootstrap: Path | None, *, life: timedelta, bootstrap_life: timedelta
    ) -> None:
        self._operational = Authority(operational)
        self._bootstrap = Authority(bootstrap, BOOTSTRAP) if bootstrap is not None else None
        self._life, self._bootstrap_life = life, bootstrap_life

    @classmethod
    def of(cls, settings: EnrolmentSettings) -> Signer:
        """As the region's settings say."""
        return cls(
            settings.authority_dir,
            settings.bootstrap_dir,
            life=settings.life,
            bootstrap_life=settings.bootstrap_life,
        )

    @property
    def ca_pem(self) -> str:
        """What units know the broker by."""
        return self._operational.ca_file.read_text()

    @property
    def makes_bootstraps(self) -> bool:
        """Whether the bootstrap authority is here."""
        return self._bootstrap is not None

    def operational(self, request: SigningRequest, unit: str) -> Signed:
        """A working unit's certificate, under the name that we chose."""
        return _signed(self._operational.sign(request.key, unit, life=self._life))

    def bootstrap(self, request: SigningRequest, serial: str) -> Signed:
        """A bootstrap certificate under a serial number; only where makes_bootstraps."""
        assert self._bootstrap is not None
        return _signed(self._bootstrap.sign(request.key, serial, life=self._bootstrap_life))


_STRONG = (hashes.SHA256, hashes.SHA384, hashes.SHA512)


@cache
def _guessable() -> frozenset[int]:
    small = (ec.derive_private_key(number, ec.SECP256R1()) for number in range(1, GUESSABLE + 1))
    return frozenset(key.public_key().public_numbers().x for key in small)


def _signed(certificate: x509.Certificate) -> Signed:
    pem = certificate.public_bytes(Encoding.PEM).decode()
    return Signed(pem, certificate.fingerprint(hashes.SHA256()).hex(), certificate)
