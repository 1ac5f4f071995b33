"""Which identity the agent starts with, or that it has to get one first."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
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
from firmware.data_disk import mounts

log = logging.getLogger(__name__)

Why = Literal["new", "expired", "reset"]
"""Why a unit asks for an identity (agent/contract/enrolment.py)."""


DiskFault = Literal["", "identity_missing", "identity_read_only"]
UNIT = Path("/run/halsorum-data")
"""Is there where the image of a unit runs (firmware/data_partition.py)."""


@dataclass(frozen=True, slots=True)
class WayIn:
    """There is none to work under: why, and under which name the unit worked before."""

    identities: IdentityStore
    why: Why
    was: str | None = None
    disk_fault: DiskFault = ""
    """Why no identity could be kept, were one given."""


def identity_way(settings: Settings) -> WayIn | Identity:
    """Look at the disk. Raises OSError or ValueError for files made by hand that cannot be used."""
    if settings.identity_dir is None:
        return load_identity(settings.certificate_file, settings.key_file)
    identities = IdentityStore(settings.identity_dir)
    with suppress(OSError):  # a disk that takes no writes still says who we are
        identities.tidy()
    fault = disk_fault(settings.identity_dir)
    try:
        current = identities.current()
    except IdentityError as error:
        log.error("%s", error)  # noqa: TRY400 - its text is all there is to know
        return WayIn(identities, "reset", disk_fault=fault)
    if current is None:
        return WayIn(identities, "new", disk_fault=fault)
    return current.identity


def disk_fault(folder: Path, unit: Path = UNIT, proc: Path = Path("/proc")) -> DiskFault:
    """Whether identities can be kept there: on a unit not in memory, where they would go with the power."""
    nearest = next(place for place in (folder, *folder.parents) if place.exists())
    if unit.is_dir():
        holding = [mount for mount in mounts(proc) if nearest.is_relative_to(mount.place)]
        if holding and max(holding, key=lambda mount: len(mount.place.parts)).kind in {"tmpfs", "ramfs"}:
            return "identity_missing"
    return "" if os.access(nearest, os.W_OK) else "identity_read_only"


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
