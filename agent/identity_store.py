"""The unit's identities on disk: the one it works under, one that is not proven yet, and the bootstrap.

    bootstrap/      key.pem, certificate.pem, ca.pem, address.toml: from preparation (agent/identity_prepare.py)
    asking-…/       key.pem, request.pem: a key that has asked for a certificate and has none yet
    g-0001/         key.pem, certificate.pem, ca.pem, broker.json: one generation, never changed
    new             link to the generation that has to prove itself
    current         link to the generation that the unit works under

A generation is made beside and renamed; `current` moves by one rename. After a power cut at any step the unit
has its old identity or its new one, and what is left over goes at the next start (`tidy`).
"""

from __future__ import annotations

import hashlib
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import ValidationError

from agent.contract.topics import UNIT_PATTERN
from agent.contract.unit_config import BrokerAddress
from agent.identity import Identity, load_identity, name_in, require_own
from agent.identity_disk import Disk, shred

Asking = Literal["enrolment", "renewal", "bootstrap"]
"""What a key asks for. Each has a key of its own: the region takes none that has asked for something else."""
KEY, CERTIFICATE, CA, BROKER, ADDRESS, REQUEST = (
    "key.pem",
    "certificate.pem",
    "ca.pem",
    "broker.json",
    "address.toml",
    "request.pem",
)
CURRENT, NEW, BOOTSTRAP = "current", "new", "bootstrap"
_NEXT_BOOTSTRAP = "bootstrap-next"


class IdentityError(ValueError):
    """An identity cannot be used; the text says which file, and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Held:
    """An identity and where its files are."""

    identity: Identity
    folder: Path
    broker: BrokerAddress | None

    @property
    def ca_file(self) -> Path:
        """The authorities that the broker's certificate may come from."""
        return self.folder / CA

    @property
    def certificate_file(self) -> Path:
        """Its certificate."""
        return self.folder / CERTIFICATE

    @property
    def key_file(self) -> Path:
        """Its key."""
        return self.folder / KEY


@dataclass(frozen=True, slots=True)
class Request:
    """A signing request (RFC 2986) of a key that waits for its certificate."""

    pem: str
    sha256: str
    """Of its DER: which request an answer is for."""
    key_sha256: str
    """Of the key's SubjectPublicKeyInfo: what IT compares, in words."""


class IdentityStore:
    """One folder of identities. Every change raises OSError when the disk cannot take it, and changes nothing."""

    def __init__(self, folder: Path, disk: Disk | None = None) -> None:
        self.folder = folder
        self._disk = disk or Disk()

    def current(self) -> Held | None:
        """What the unit works under. Raises IdentityError when it is there and cannot be used."""
        return self._held(CURRENT)

    def new(self) -> Held | None:
        """What has to prove itself. Raises IdentityError."""
        return self._held(NEW)

    def bootstrap(self) -> Held | None:
        """What the unit came with; its `unit` is the serial number. Raises IdentityError."""
        folder = self.folder / BOOTSTRAP
        if not folder.exists():
            folder = self.folder / _NEXT_BOOTSTRAP  # a power cut came just before it took its place
        if not (folder / CERTIFICATE).exists():
            return None
        try:
            identity = load_identity(folder / CERTIFICATE, folder / KEY)
            broker = BrokerAddress.model_validate(tomllib.loads((folder / ADDRESS).read_text()))
        except (OSError, ValueError) as error:
            raise IdentityError(f"{folder}: {_said(error)}") from error
        return Held(identity, folder, broker)

    def prepare(self, serial: str) -> Path:
        """A bootstrap key and its request under a serial number, made where there is none; the request's file.

        Raises IdentityError for what is no serial number, and where another bootstrap is.
        """
        if not UNIT_PATTERN.fullmatch(serial):
            raise IdentityError(
                f"{serial!r} is no serial number: small letters, digits and hyphens, 63 at most, as in hr-000417"
            )
        folder = self.folder / BOOTSTRAP
        if not folder.exists():
            key = ec.generate_private_key(ec.SECP256R1())
            self._make_folder(folder, {KEY: _key_pem(key), REQUEST: _csr(key, serial).public_bytes(_PEM)})
        prepared = (
            x509.load_pem_x509_csr((folder / REQUEST).read_bytes()) if (folder / REQUEST).exists() else None
        )
        if prepared is None or prepared.subject != _name(serial):
            raise IdentityError(f"{folder} holds another bootstrap already; wipe the unit to prepare it anew")
        return folder / REQUEST

    def request(self, asking: Asking = "enrolment") -> Request:
        """The request that waits for an answer; a new key is made where there is none."""
        folder = self._asking(asking)
        if folder.is_dir():
            try:
                return _read_request(folder)
            except (OSError, ValueError):
                self._put_away(folder)  # damaged, and of no use to anybody
        key = ec.generate_private_key(ec.SECP256R1())
        self._make_folder(folder, {KEY: _key_pem(key), REQUEST: _csr(key).public_bytes(_PEM)})
        return _read_request(folder)

    def forget_request(self, asking: Asking = "enrolment") -> None:
        """That key is asked for no more."""
        self._put_away(self._asking(asking))

    def take(
        self,
        name: str,
        certificate_pem: str,
        ca_pem: str | None,
        broker: BrokerAddress | None,
        asked: Asking = "enrolment",
    ) -> Held:
        """Keep the answer to `request` as new. Raises IdentityError for one that is not for our key and that name.

        What the answer leaves out, authorities and broker, stays as it is in the current identity.
        """
        asking, current = self._asking(asked), self._current_or_none()
        checked, certificate = _checked(certificate_pem, asking / KEY, ca_pem, name)
        ca = checked or (current.ca_file.read_bytes() if current is not None else b"")
        if not ca:
            raise IdentityError("the answer names no authority for the broker's certificate")
        if broker is None and current is not None:
            broker = current.broker
        contents = {KEY: (asking / KEY).read_bytes(), CERTIFICATE: certificate, CA: ca}
        if broker is not None:
            contents[BROKER] = broker.model_dump_json().encode()
        folder = self.folder / f"g-{self._next_number():04d}"
        self._make_folder(folder, contents)
        self._point(NEW, folder.name)
        held = self.new()
        assert held is not None
        return held

    def take_bootstrap(self, certificate_pem: str) -> None:
        """Put the answer to a bootstrap request in the place of the present bootstrap. Raises IdentityError."""
        asking, old = self._asking("bootstrap"), self.bootstrap()
        if old is None:
            raise IdentityError("this unit has no bootstrap identity to replace")
        _, certificate = _checked(certificate_pem, asking / KEY, None, old.identity.unit)
        contents = {name: (old.folder / name).read_bytes() for name in (CA, ADDRESS)}
        contents |= {KEY: (asking / KEY).read_bytes(), CERTIFICATE: certificate}
        self._finish_bootstrap()
        self._make_folder(self.folder / _NEXT_BOOTSTRAP, contents)
        self._finish_bootstrap()
        self.forget_request("bootstrap")

    def promote(self) -> None:
        """New has proven itself: it is current from now on, and what was before goes."""
        new = self.folder / NEW
        if not new.is_symlink():
            raise IdentityError("there is no new identity to work under")
        self._point(CURRENT, str(new.readlink()))
        with suppress(OSError):  # it is in force all the same; the next start tidies up
            self.tidy()

    def drop_new(self) -> None:
        """New could not prove itself and is not to be tried again."""
        self._disk.unlink(self.folder / NEW)
        self.tidy()

    def tidy(self) -> None:
        """Away with what a power cut or a promotion has left: half made folders, keys that are used no more."""
        if not self.folder.is_dir():
            return
        self._finish_bootstrap()
        current, new = self._target(CURRENT), self._target(NEW)
        if new is not None and new == current:
            self._disk.unlink(self.folder / NEW)
            self.forget_request("enrolment")  # what was asked has been answered, and has proven itself
            self.forget_request("renewal")
        for path in sorted(self.folder.iterdir()):
            is_old = path.name.startswith("g-") and path.name not in {current, new}
            if is_old:
                self._put_away(path)
            elif path.name.startswith("."):
                shred(self._disk, path)
        self._disk.sync_folder(self.folder)

    def wipe(self) -> tuple[str, ...]:
        """Every key and certificate away, the bootstrap's too; names of what could not be removed."""
        if self.folder.is_dir():
            for path in sorted(self.folder.iterdir()):
                shred(self._disk, path)
            self._disk.sync_folder(self.folder)
        return tuple(path.name for path in self.folder.rglob("*")) if self.folder.is_dir() else ()

    def _current_or_none(self) -> Held | None:
        try:
            return self.current()
        except IdentityError:
            return None  # what cannot be used must not stand in the way of what replaces it

    def _held(self, link: str) -> Held | None:
        target = self._target(link)
        if target is None:
            return None
        folder = self.folder / target
        try:
            identity = load_identity(folder / CERTIFICATE, folder / KEY)
            kept = folder / BROKER
            broker = BrokerAddress.model_validate_json(kept.read_bytes()) if kept.exists() else None
        except (OSError, ValueError) as error:
            raise IdentityError(f"{folder}: {_said(error)}") from error
        return Held(identity, self.folder / link, broker)

    def _target(self, link: str) -> str | None:
        path = self.folder / link
        return str(path.readlink()) if path.is_symlink() else None

    def _next_number(self) -> int:
        numbers = [int(path.name[2:]) for path in self.folder.glob("g-[0-9]*") if path.name[2:].isdigit()]
        return max(numbers, default=0) + 1

    def _asking(self, asking: Asking) -> Path:
        return self.folder / f"asking-{asking}"

    def _make_folder(self, folder: Path, contents: dict[str, bytes]) -> None:
        """All of it or nothing: made under a name that `tidy` removes, then renamed."""
        beside = folder.with_name(f".{folder.name}")
        shred(self._disk, beside)
        self._disk.make_folder(self.folder)
        self._disk.make_folder(beside)
        for name, content in contents.items():
            self._disk.write(beside / name, content, private=name == KEY)
        self._disk.sync_folder(beside)
        self._disk.rename(beside, folder)
        self._disk.sync_folder(self.folder)

    def _put_away(self, folder: Path) -> None:
        """Out of sight by one rename, then gone: a folder that is half overwritten is never taken for whole."""
        if folder.is_dir():
            leaving = folder.with_name(f".{folder.name}")
            shred(self._disk, leaving)
            self._disk.rename(folder, leaving)
            shred(self._disk, leaving)

    def _point(self, link: str, target: str) -> None:
        beside = self.folder / f".{link}"
        self._disk.unlink(beside)
        self._disk.link(beside, target)
        self._disk.rename(beside, self.folder / link)
        self._disk.sync_folder(self.folder)

    def _finish_bootstrap(self) -> None:
        """A whole next bootstrap takes the place of the present one; goes on where it was broken off."""
        coming, present = self.folder / _NEXT_BOOTSTRAP, self.folder / BOOTSTRAP
        if not coming.is_dir():
            return
        self._put_away(present)
        self._disk.rename(coming, present)
        self._disk.sync_folder(self.folder)


_PEM = serialization.Encoding.PEM


def _read_request(asking: Path) -> Request:
    pem = (asking / REQUEST).read_bytes()
    csr = x509.load_pem_x509_csr(pem)
    digest = hashlib.sha256(csr.public_bytes(serialization.Encoding.DER)).hexdigest()
    return Request(pem.decode(), digest, key_sha256(csr.public_key()))


def key_sha256(key: object) -> str:
    """SHA-256 of a key's SubjectPublicKeyInfo in DER. Raises ValueError for what is no P-256 key."""
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise ValueError("is not an elliptic curve key")
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def _checked(certificate_pem: str, key_file: Path, ca_pem: str | None, name: str) -> tuple[bytes, bytes]:
    """Authorities and certificate, looked at before anything is kept."""
    if not key_file.exists():
        raise IdentityError("nothing was asked for")
    key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
    try:
        certificate = x509.load_pem_x509_certificate(certificate_pem.encode())
        authorities = x509.load_pem_x509_certificates(ca_pem.encode()) if ca_pem else []
        require_own(certificate, key, authorities)
    except ValueError as error:
        raise IdentityError(f"the certificate cannot be used: {_said(error)}") from error
    if name_in(certificate) != name:
        raise IdentityError(f"the certificate cannot be used: it is not for {name}")
    # Written anew from what was read: nothing that stood between the certificates comes to disk.
    return b"".join(each.public_bytes(_PEM) for each in authorities), certificate.public_bytes(_PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    form, open_ = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(_PEM, form, open_)


def _csr(key: ec.EllipticCurvePrivateKey, name: str = "unit") -> x509.CertificateSigningRequest:
    return x509.CertificateSigningRequestBuilder().subject_name(_name(name)).sign(key, hashes.SHA256())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _said(error: Exception) -> str:
    """Short, and without the content of the file."""
    if isinstance(error, ValidationError):
        first = error.errors(include_input=False, include_url=False)[0]
        return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    if isinstance(error, OSError):
        return f"{Path(error.filename).name if error.filename else 'file'}: {error.strerror}"
    return str(error)[:200]
