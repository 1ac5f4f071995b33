"""Which identity the agent starts with, or that it has to get one first."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from agent.config import Settings
from agent.enrolling import Why
from agent.identity import Identity, load_identity
from agent.identity_store import Held, IdentityError, IdentityStore

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WayIn:
    """There is none to work under: why, and under which name the unit worked before."""

    identities: IdentityStore
    why: Why
    was: str | None = None


@dataclass(frozen=True, slots=True)
class Working:
    """There is one; the settings name its files and its broker."""

    settings: Settings
    identity: Identity


def identity_way(settings: Settings) -> WayIn | Working:
    """Look at the disk. Raises OSError or ValueError for files made by hand that cannot be used."""
    if settings.identity_dir is None:
        return Working(settings, load_identity(settings.certificate_file, settings.key_file))
    identities = IdentityStore(settings.identity_dir)
    identities.tidy()
    try:
        current = identities.current()
    except IdentityError as error:
        log.error("%s", error)  # noqa: TRY400 - its text is all there is to know
        return WayIn(identities, "reset")
    if current is None:
        return WayIn(identities, "new")
    return Working(with_identity(settings, current), current.identity)


def with_identity(settings: Settings, held: Held) -> Settings:
    """The settings with an identity's files and broker laid over them."""
    files = {"ca_file": held.ca_file, "certificate_file": held.certificate_file, "key_file": held.key_file}
    broker = held.broker
    address = {} if broker is None else {f"broker_{name}": value for name, value in broker}
    return settings.model_copy(update=files | address)
