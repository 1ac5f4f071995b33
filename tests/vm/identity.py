"""The identity partition of a machine that is off: what maker or region would have left on it."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path

from tests.vm.disk_image import make_ext4, partition, write_partition
from tests.vm.machine import Machine

SYSUSERS = Path("systemd/sysusers.conf")
LABEL, PARTITION = "halsorum-id", "identity"


def agent_user(sysusers: str) -> tuple[int, int]:
    """User and group number of the agent (sysusers.d(5)); raises ValueError where they are not fixed."""
    found = re.search(r"^u\s+halsorum\s+(\d+):(\d+)\s", sysusers, re.MULTILINE)
    if found is None:
        raise ValueError(f"{SYSUSERS}: no line 'u halsorum UID:GID'")
    return int(found[1]), int(found[2])


def give_identity(machine: Machine, identities: Path) -> None:
    """Put a folder of identities (agent/identity_store.py) onto the machine's identity partition."""
    place = partition(machine.image, PARTITION)
    uid, gid = agent_user(SYSUSERS.read_text())
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "identity"
        shutil.copytree(identities, copy, symlinks=True)
        for each in (copy, *copy.rglob("*")):
            os.chown(each, uid, gid, follow_symlinks=False)
        copy.chmod(0o700)
        made = make_ext4(Path(folder) / "identity.ext4", place.size_bytes, LABEL, copy)
        write_partition(machine.disk, place, made)
