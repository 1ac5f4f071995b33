"""Signing requests, above all those that nobody should sign."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from provisioning.signing import _PEM, MOST_CHARACTERS, BadRequest, Signer, read_request
from tests.provisioning.csr import csr, key_sha256, new_key, request_sha256

GOOD = csr(new_key(), "hs-1")


def refused(pem: str) -> str:
    with pytest.raises(BadRequest) as error:
        read_request(pem)
    assert len(error.value.request) == 64
    assert not pem[30:60] or pem[30:60] not in error.value.reason
    return error.value.reason


def test_a_good_request_is_known_by_its_digests() -> None:
    key = new_key()
    pem = csr(key, "hs-1")
    read = read_request(pem)
    assert (read.sha256, read.key_sha256) == (request_sha256(pem), key_sha256(key))
    assert read.subject_name == "hs-1"
    assert read.key_pem.startswith("-----BEGIN PUBLIC KEY-----")
    assert read_request(pem.replace("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST")) == read


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP384R1()),
        ec.generate_private_key(ec.SECP256K1()),
        rsa.generate_private_key(65537, 1024),
    ],
    ids=["P-384", "secp256k1", "RSA of 1024 bits"],
)
def test_other_keys_are_refused(key: object) -> None:
    assert "P-256" in refused(csr(key))


def test_ed25519_is_refused() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    made = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, None)
    assert "P-256" in refused(made.public_bytes(Encoding.PEM).decode())


def test_a_key_that_anybody_can_guess_is_refused() -> None:
    assert "guessed" in refused(csr(ec.derive_private_key(1, ec.SECP256R1())))
    assert "guessed" in refused(csr(ec.derive_private_key(17, ec.SECP256R1())))


def test_a_signature_of_another_key_is_refused() -> None:
    # The last bytes are the signature's.
    der = bytearray(x509.load_pem_x509_csr(GOOD.encode()).public_bytes(Encoding.DER))
    der[-3] ^= 0x55
    import base64

    body = base64.encodebytes(bytes(der)).decode()
    text = f"-----BEGIN CERTIFICATE REQUEST-----\n{body}-----END CERTIFICATE REQUEST-----\n"
    assert "not signed with its own key" in refused(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        GOOD + GOOD,
        GOOD.replace("M", "*", 1),
        GOOD.replace("REQUEST", "THING"),
        "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
        GOOD + "x" * MOST_CHARACTERS,
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n" + GOOD,
    ],
)
def test_what_is_not_one_request_is_refused(text: str) -> None:
    assert refused(text)


def test_the_subject_and_the_life_are_ours_and_its_extensions_are_ignored(tmp_path: Path) -> None:
    key = new_key()
    greedy = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "region")] * 2))
        .add_extension(x509.BasicConstraints(ca=True, path_length=9), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("mqtt.region.example")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    signer = Signer(
        tmp_path / "a", tmp_path / "b", life=timedelta(seconds=9), bootstrap_life=timedelta(days=2)
    )
    request = read_request(greedy.public_bytes(Encoding.PEM).decode())
    made = signer.operational(request, "unit-9").certificate
    assert made.subject.rfc4514_string() == "CN=unit-9"
    assert made.public_key() == key.public_key()
    assert made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    with pytest.raises(x509.ExtensionNotFound):
        made.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert made.not_valid_after_utc - datetime.now(UTC) < timedelta(seconds=10)

    bootstrap = signer.bootstrap(request, "hs-1").certificate
    assert bootstrap.issuer != made.issuer
    made.verify_directly_issued_by(x509.load_pem_x509_certificate(signer.ca_pem.encode()))
    with pytest.raises(ValueError, match="issuer"):
        bootstrap.verify_directly_issued_by(x509.load_pem_x509_certificate(signer.ca_pem.encode()))


def test_thousands_of_spaces_hold_nobody_up() -> None:
    # Where a pattern's parts overlap, this would take an hour and not a moment.
    assert _PEM.fullmatch("-----BEGIN CERTIFICATE REQUEST-----" + " " * 200_000) is None
