"""The region's private certificate authorities: one for the broker, its clients and the units, one for bootstraps.

EC P-256; files of keys are readable by their owner alone. Asking again gives the same certificate until a
third of its life is left; a renewed one keeps its key, so that what was signed before can still be verified.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_LIFE = timedelta(days=3650)
CERTIFICATE_LIFE = timedelta(days=365)
BACKDATED = timedelta(hours=1)
"""A unit's clock may be somewhat behind."""
RENEW_WHEN_LEFT = 1 / 3
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
OPERATIONAL, BOOTSTRAP = "Halsorum region CA", "Halsorum bootstrap CA"


class PkiError(RuntimeError):
    """A certificate cannot be made; the text says for whom and why."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Where an identity's three files are, and until when its certificate is good."""

    name: str
    ca_file: Path
    certificate_file: Path
    key_file: Path
    sha256: str
    not_after: datetime


class Authority:
    """The certificate authority in a folder: `ca.pem`, `ca.key`. Made, under this name, if it is not there."""

    def __init__(self, folder: Path, name: str = OPERATIONAL) -> None:
        self.folder = folder
        self.ca_file = folder / "ca.pem"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._key = _load_or_make_key(folder / "ca.key")
        if self.ca_file.exists():
            self._certificate = x509.load_pem_x509_certificate(self.ca_file.read_bytes())
            if self._certificate.public_key() != self._key.public_key():
                raise PkiError(
                    f"{self.ca_file} and ca.key do not belong together; restore both from one copy."
                )
        else:
            self._certificate = _self_signed(self._key, name)
            _write(self.ca_file, self._certificate.public_bytes(serialization.Encoding.PEM), 0o644)

    def server(self, hosts: Sequence[str] = (), folder: Path | None = None) -> Credentials:
        """The broker's certificate, for this machine's own names and the given ones."""
        names = tuple(dict.fromkeys((*LOCAL_HOSTS, *hosts)))
        return self._issue("broker", folder or self.folder, hosts=names)

    def client(self, name: str, folder: Path | None = None) -> Credentials:
        """A client's certificate; name is its user name and client id at the broker."""
        return self._issue(name, folder or self.folder)

    def sign(
        self,
        key: ec.EllipticCurvePublicKey,
        name: str,
        *,
        hosts: Sequence[str] = (),
        life: timedelta = CERTIFICATE_LIFE,
    ) -> x509.Certificate:
        """A certificate for a key: with hosts a server's, otherwise a client's. It does not outlive us."""
        usage = ExtendedKeyUsageOID.SERVER_AUTH if hosts else ExtendedKeyUsageOID.CLIENT_AUTH
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(self._certificate.subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - BACKDATED)
            .not_valid_after(min(now + life, self._certificate.not_valid_after_utc))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
        )
        if hosts:
            names = x509.SubjectAlternativeName([_host_name(host) for host in hosts])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self._key, hashes.SHA256())

    def _issue(self, name: str, folder: Path, hosts: Sequence[str] = ()) -> Credentials:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        certificate_file, key_file = folder / f"{name}.pem", folder / f"{name}.key"
        key = _load_or_make_key(key_file)
        certificate = _load_certificate(certificate_file)
        if certificate is None or not self._still_good(certificate, key.public_key(), hosts):
            certificate = self.sign(key.public_key(), name, hosts=hosts)
            _write(certificate_file, certificate.public_bytes(serialization.Encoding.PEM), 0o644)
        ca_file = folder / "ca.pem"
        authority_pem = self._certificate.public_bytes(serialization.Encoding.PEM)
        if not ca_file.exists() or ca_file.read_bytes() != authority_pem:
            _write(ca_file, authority_pem, 0o644)
        sha256 = certificate.fingerprint(hashes.SHA256()).hex()
        return Credentials(name, ca_file, certificate_file, key_file, sha256, certificate.not_valid_after_utc)

    def _still_good(
        self, certificate: x509.Certificate, key: ec.EllipticCurvePublicKey, hosts: Sequence[str]
    ) -> bool:
        left = certificate.not_valid_after_utc - datetime.now(UTC)
        try:
            certificate.verify_directly_issued_by(self._certificate)
        except Exception:
            return False  # from an earlier authority, or damaged: cryptography raises various errors here
        same_hosts = not hosts or set(_host_texts(certificate)) >= set(hosts)
        return certificate.public_key() == key and same_hosts and left > CERTIFICATE_LIFE * RENEW_WHEN_LEFT


def _self_signed(key: ec.EllipticCurvePrivateKey, common_name: str) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _host_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _host_texts(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    addresses = [str(address) for address in names.get_values_for_type(x509.IPAddress)]
    return [*names.get_values_for_type(x509.DNSName), *addresses]


def _load_or_make_key(path: Path) -> ec.EllipticCurvePrivateKey:
    if path.exists():
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise PkiError(f"{path} is not an elliptic curve key; move it away and try again.")
        return key
    made = ec.generate_private_key(ec.SECP256R1())
    pem = made.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    _write(path, pem, 0o600)
    return made


def _load_certificate(path: Path) -> x509.Certificate | None:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None


def _write(path: Path, content: bytes, mode: int) -> None:
    """Whole or not at all, and never readable by others even for a moment."""
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    beside.replace(path)
