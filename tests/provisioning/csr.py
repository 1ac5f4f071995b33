"""Signing requests as a unit makes them, and as nobody should."""

from __future__ import annotations

import hashlib
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat


def new_key() -> ec.EllipticCurvePrivateKey:
    """A unit's key."""
    return ec.generate_private_key(ec.SECP256R1())


def csr(key: Any = None, *names: str, digest: Any = None) -> str:
    """A request in PEM for a key, with these common names."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name) for name in names])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    return builder.sign(key or new_key(), digest or hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def request_sha256(pem: str) -> str:
    """By which a request is answered."""
    return hashlib.sha256(x509.load_pem_x509_csr(pem.encode()).public_bytes(Encoding.DER)).hexdigest()


def key_sha256(key: Any) -> str:
    """What the unit's screen shows in words."""
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def key_pem(key: Any) -> str:
    """A private key as a unit keeps it."""
    return str(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())
