"""RAUC's system.conf for a board: `python -m firmware.update.system_conf --board vm`.

Source: RAUC 1.8, Reference, System Configuration File.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

GRUBENV = Path("/efi/grub/grubenv")
KEYRING = Path("/etc/rauc/keyring.pem")
DATA_DIRECTORY = Path("/data/rauc")
"""RAUC's own notes on the slots. Without it RAUC would write them into the slots, which are read-only."""
SLOTS = {"A": "root-a", "B": "root-b"}
"""Name for GRUB, and label of the partition."""
_BOARD = re.compile(r"[a-z][a-z0-9-]{0,30}")


def compatible(board: str) -> str:
    """What a bundle must name to be for this board; os-release's IMAGE_ID has the same."""
    if not _BOARD.fullmatch(board):
        raise ValueError(f"{board[:40]!r} is no board's name")
    return f"halsorum-{board}"


def system_conf(board: str) -> str:
    """The file's text.

    A slot is made active by root's own word, never by the installation: what a power cut starts meanwhile is the
    system that ran. Only verity bundles: the files are the agent's, which might change them as they are read.
    """
    slots = "".join(
        f"\n[slot.rootfs.{number}]\ndevice=/dev/disk/by-partlabel/{label}\ntype=ext4\nbootname={name}\n"
        for number, (name, label) in enumerate(SLOTS.items())
    )
    return (
        f"[system]\ncompatible={compatible(board)}\nbootloader=grub\ngrubenv={GRUBENV}\nmountprefix=/run/rauc\n"
        f"data-directory={DATA_DIRECTORY}\nactivate-installed=false\nbundle-formats=-plain\n"
        # A unit's clock may be wrong, and a bundle's age is judged by its version.
        f"\n[keyring]\npath={KEYRING}\nuse-bundle-signing-time=true\n{slots}"
    )


def main(words: list[str] | None = None) -> int:
    """Print it; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m firmware.update.system_conf", description=__doc__)
    parser.add_argument("--board", required=True)
    sys.stdout.write(system_conf(parser.parse_args(words).board))
    return 0


if __name__ == "__main__":
    sys.exit(main())
