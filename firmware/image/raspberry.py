"""What a Raspberry Pi starts from: a FAT partition with its firmware, kernel, device tree and two short texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

# Of Debian's raspi-firmware; the Pi 4's boot loader is in its own flash memory and needs no bootcode.bin.
FIRMWARE = ("start4.elf", "fixup4.dat")
CONFIG = """# Read by the board's firmware (config.txt). Debian's kernel with its own device tree; calm on screen.
arm_64bit=1
upstream_kernel=1
kernel=vmlinuz
initramfs initrd.img followkernel
disable_splash=1
avoid_warnings=1
boot_delay=0
"""


def command_line(words: Sequence[str]) -> str:
    """cmdline.txt: one line. There is one slot: which of two is started (tryboot) is not made yet."""
    return " ".join(["root=PARTLABEL=root-a", "rootwait", "rauc.slot=A", *words]) + "\n"


def boot_files(root: Path) -> Mapping[str, Path]:
    """By name on the partition: files of the root file system. Raises FileNotFoundError, which names it."""
    firmware = root / "usr/lib/raspi-firmware"
    files = {name: firmware / name for name in FIRMWARE}
    files |= {name: root / "boot" / name for name in ("vmlinuz", "initrd.img")}
    files |= {
        tree.name: tree for tree in sorted(root.glob("usr/lib/linux-image-*/broadcom/bcm27*-rpi-*.dtb"))
    }
    for file in files.values():
        if not file.exists():
            raise FileNotFoundError(
                f"the boot partition needs {file.relative_to(root)}, which no package brought"
            )
    return files
