"""The unit's identities at boot: their partition checked, and mounted by systemd. The unit starts in any case.

`python -S -m firmware.identity_partition` as root, before the agent (systemd/halsorum-identity.service). No line
of fstab: an agent whose folder is on a mount that failed would not be started, and could not say what is wrong.
A new file system is never made here: it would take the unit's name from it. Standard library only.
"""

from __future__ import annotations

import sys
from pathlib import Path

from firmware.data_disk import Partition, find_data
from firmware.data_partition import CHECK_WITHIN_S
from firmware.data_state import is_mended, plain
from firmware.mount_units import UNITS, Mounts, MountUnit, point
from firmware.programs import Run, run_program

PARTITION_NAMES = frozenset({"identity"})
PLACE = Path("/var/lib/halsorum-identity")
DEVICE = Path("/run/halsorum-identity/device")
OPTIONS = "nosuid,nodev,noexec,noatime,sync,errors=remount-ro"
"""Written a few times a year, and each time it must be there after a power cut."""


def take(
    partition: Partition | None,
    place: Path,
    run: Run = run_program,
    *,
    device: Path = DEVICE,
    units: Path = UNITS,
) -> str:
    """Check it and have it mounted; empty if it is there, else why not (not mounted, or it takes no writes)."""
    if partition is None:
        return "the unit's disk has no partition named identity"
    exit_code, said = run(("e2fsck", "-p", str(partition.device)), CHECK_WITHIN_S)
    if not is_mended(exit_code) and not partition.is_read_only:
        exit_code, said = run(("e2fsck", "-f", "-y", str(partition.device)), CHECK_WITHIN_S)
    if not is_mended(exit_code) and not partition.is_read_only:
        return f"{partition.device}: there is no file system that could be mended ({plain(said)})"
    options = f"{'ro' if partition.is_read_only else 'rw'},{OPTIONS}"
    fault = point(device, partition.device)
    fault = fault or Mounts(units, run).mount(MountUnit(str(device), place, "ext4", options))
    if fault:
        return f"{partition.device}: {fault}"
    return f"{partition.device} takes no writes" if partition.is_read_only else ""


def main() -> int:
    """Always 0: what is missing is said, and the agent says it on the screen."""
    fault = take(find_data(Path("/sys"), Path("/proc"), Path("/dev"), PARTITION_NAMES), PLACE)
    print(f"identity: {fault or 'ok'}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
