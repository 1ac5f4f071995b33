"""Certificates of any age, from authorities of any kind, for tests."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

TODAY = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)


@cache
def key_of(name: str) -> ec.EllipticCurvePrivateKey:
    """One key for each name, made once."""
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def name_of(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@dataclass(frozen=True)
class TestAuthority:
    """Signs whatever is asked."""

    __test__ = False
    name: str = "test authority"
    pem: bytes = field(init=False)

    def __post_init__(self) -> None:
        own = self.certificate(self.name, key_of(self.name).public_key(), is_authority=True)
        object.__setattr__(self, "pem", own)

    def certificate(
        self,
        name: str,
        key: ec.EllipticCurvePublicKey,
        *,
        since: datetime = TODAY - 365 * DAY,
        until: datetime = TODAY + 365 * DAY,
        is_authority: bool = False,
    ) -> bytes:
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        return (
            x509.CertificateBuilder()
            .subject_name(name_of(name))
            .issuer_name(name_of(self.name))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(since)
            .not_valid_after(until)
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .sign(key_of(self.name), hashes.SHA256())
            .public_bytes(serialization.Encoding.PEM)
        )

    def files(self, folder: Path, name: str, **validity: datetime) -> tuple[Path, Path, Path]:
        """The authority's, the certificate's and the key's file."""
        key = key_of(name)
        contents = {
            "ca.pem": self.pem,
            f"{name}.pem": self.certificate(name, key.public_key(), **validity),
            f"{name}.key": key_pem(key),
        }
        folder.mkdir(parents=True, exist_ok=True)
        for file, content in contents.items():
            (folder / file).write_bytes(content)
        return folder / "ca.pem", folder / f"{name}.pem", folder / f"{name}.key"
