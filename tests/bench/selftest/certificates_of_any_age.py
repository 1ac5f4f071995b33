"""A unit's certificate as the region's authority would have made it some time ago."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

LIFE = timedelta(days=90)
HAND_MADE = ("ca_file", "certificate_file", "key_file")
"""The settings in place of identity_dir, for an identity that nobody renews."""


def replace_certificate(authority: Path, identity: Path, name: str, left: timedelta) -> None:
    """Another certificate for the key that is there, of which so much is left."""
    key = serialization.load_pem_private_key((identity / "key.pem").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    (identity / "certificate.pem").write_bytes(_signed(authority, key.public_key(), name, left))


def hand_made(authority: Path, folder: Path, name: str, left: timedelta) -> tuple[Path, Path, Path]:
    """The files of HAND_MADE, with a key of their own."""
    key = ec.generate_private_key(ec.SECP256R1())
    files = tuple(folder / f"hand-made-{kind}.pem" for kind in ("ca", "certificate", "key"))
    contents = (
        (authority / "ca.pem").read_bytes(),
        _signed(authority, key.public_key(), name, left),
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    )
    for file, content in zip(files, contents, strict=True):
        file.write_bytes(content)
    return files


def _signed(folder: Path, key: ec.EllipticCurvePublicKey, name: str, left: timedelta) -> bytes:
    own = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), None)
    issuer = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
    ends = datetime.now(UTC) + left
    usage = x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH])
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer.subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(ends - LIFE)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()), critical=False
        )
        .sign(own, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)
