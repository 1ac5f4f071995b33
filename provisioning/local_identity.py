"""Identities of the units that `make run` starts: one prepared, so that it works at once, and new ones that ask.

This plays maker and IT's bench: on a real unit the keys are made by the unit itself (agent/identity_store.py
tells what lies where).
"""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from agent.contract.unit_config import BrokerAddress
from provisioning.broker_files import replace
from provisioning.pki import CERTIFICATE_LIFE, Authority

KEY, CERTIFICATE, CA, BROKER, ADDRESS = "key.pem", "certificate.pem", "ca.pem", "broker.json", "address.toml"
FIRST_GENERATION, CURRENT, BOOTSTRAP = "g-0001", "current", "bootstrap"


def prepare_bootstrap(
    folder: Path, serial: str, authority: Authority, broker_ca: Path, *, host: str, port: int
) -> None:
    """A box as its maker sends it out: a bootstrap identity in `folder`, made once; the address is as now."""
    bootstrap = folder / BOOTSTRAP
    if not (bootstrap / CERTIFICATE).exists():
        _make(bootstrap, serial, authority, CERTIFICATE_LIFE * 10)
    replace(bootstrap / CA, broker_ca.read_text())
    replace(bootstrap / ADDRESS, f"host = {json.dumps(host)}\nport = {port}\n")


def prepare_unit(
    folder: Path, unit: str, authority: Authority, address: BrokerAddress, life: timedelta
) -> Path:
    """A box that has been let in already: a working identity in `folder`, made once. Returns the one in force."""
    current = folder / CURRENT
    if not current.is_symlink():
        generation = folder / FIRST_GENERATION
        _make(generation, unit, authority, life)
        replace(generation / CA, authority.ca_file.read_text())
        current.symlink_to(FIRST_GENERATION)
    replace(current.resolve() / BROKER, address.model_dump_json())
    return current


def _make(folder: Path, name: str, authority: Authority, life: timedelta) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = ec.generate_private_key(ec.SECP256R1())
    key_pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    certificate = authority.sign(key.public_key(), name, life=life)
    replace(folder / KEY, key_pem)
    replace(folder / CERTIFICATE, certificate.public_bytes(Encoding.PEM).decode())
