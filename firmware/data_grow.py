"""The data partition up to its disk's end, as after an image was written to a larger card.

`python -S -m firmware.data_grow` as root, by systemd/halsorum-data-grow.service, which halsorum-data.service
starts when there is room behind the partition: telling the kernel of it (BLKPG, linux/blkpg.h) takes
CAP_SYS_ADMIN, which a service that runs at each boot need not have. What fails is tried at the next boot: sfdisk
writes the table only when all of it fits. Standard library only.
"""

from __future__ import annotations

import sys
from pathlib import Path

from firmware.data_disk import GROW_FROM_BYTES, Partition, find_data
from firmware.data_state import plain
from firmware.programs import Run, run_program

WITHIN_S = 60.0


def grow(partition: Partition | None, run: Run = run_program) -> str:
    """Empty if it has grown or need not, else why not."""
    if partition is None or partition.behind_bytes < GROW_FROM_BYTES:
        return ""
    disk, number = str(partition.disk), str(partition.number)
    line = 'echo ", +" | sfdisk -q --no-reread --no-tell-kernel -N "$1" "$0"'
    exit_code, said = run(("sh", "-c", line, disk, number), WITHIN_S)
    if exit_code == 0:
        exit_code, said = run(("partx", "--update", "--nr", number, disk), WITHIN_S)
    return "" if exit_code == 0 else plain(said) or f"{partition.device} could not be made larger"


def main() -> int:
    """Always 0: a partition that stays as it is serves as well."""
    fault = grow(find_data(Path("/sys"), Path("/proc"), Path("/dev")))
    sys.stderr.write(f"data: {fault or 'its partition fills the disk'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
