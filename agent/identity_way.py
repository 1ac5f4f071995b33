"""Which identity the agent starts with, or that it has to get one first."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Literal

from agent.config import Settings
from agent.contract.unit_config import BrokerAddress
from agent.identity import Identity, load_identity
from agent.identity_store import (
    BROKER,
    CA,
    CERTIFICATE,
    CURRENT,
    KEY,
    IdentityError,
    IdentityStore,
)

log = logging.getLogger(__name__)

Why = Literal["new", "expired", "reset"]
"""Why a unit asks for an identity (agent/contract/enrolment.py)."""


@dataclass(frozen=True, slots=True)
class WayIn:
    """There is none to work under: why, and under which name the unit worked before."""

    identities: IdentityStore
    why: Why
    was: str | None = None


def identity_way(settings: Settings) -> WayIn | Identity:
    """Look at the disk. Raises OSError or ValueError for files made by hand that cannot be used."""
    if settings.identity_dir is None:
        return load_identity(settings.certificate_file, settings.key_file)
    identities = IdentityStore(settings.identity_dir)
    identities.tidy()
    try:
        current = identities.current()
    except IdentityError as error:
        log.error("%s", error)  # noqa: TRY400 - its text is all there is to know
        return WayIn(identities, "reset")
    if current is None:
        return WayIn(identities, "new")
    return current.identity


def with_identity_files(settings: Settings) -> Settings:
    """The settings with the files and the broker of the identity in force, where they are kept as generations.

    The files need not be there; they go by way of a link, and so stay right when another identity is in force.
    """
    if settings.identity_dir is None:
        return settings
    folder = settings.identity_dir / CURRENT
    files = {"ca_file": folder / CA, "certificate_file": folder / CERTIFICATE, "key_file": folder / KEY}
    try:
        broker = BrokerAddress.model_validate_json((folder / BROKER).read_bytes())
    except (OSError, ValueError):
        return settings.model_copy(update=files)
    return settings.model_copy(update=files | {f"broker_{name}": value for name, value in broker})
