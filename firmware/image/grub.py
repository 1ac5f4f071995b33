"""GRUB for UEFI: one program with all it needs inside, which reads grub/grub.cfg beside it."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent / "grub"
MODULES = (
    *(
        "part_gpt",
        "fat",
        "ext2",
        "normal",
        "configfile",
        "linux",
        "loadenv",
        "regexp",
        "test",
        "echo",
        "sleep",
    ),
    *("reboot", "efi_gop", "all_video", "gzio", "minicmd"),
)
ENVIRONMENT_BYTES = 1024
FIRST = {"ORDER": "A B", "PROVEN": "A", "A_OK": "1", "A_TRY": "0", "B_OK": "0", "B_TRY": "0"}
"""Of an image that was just made: slot B is empty."""
HEADER = "# GRUB Environment Block\n"


def config(command_line: Sequence[str]) -> str:
    """grub.cfg with the kernel's command line."""
    return (HERE / "grub.cfg").read_text(encoding="utf-8").replace("@COMMAND_LINE@", " ".join(command_line))


def environment(variables: dict[str, str]) -> bytes:
    """A grubenv: always 1,024 bytes, so that GRUB can write it in place."""
    text = HEADER + "".join(f"{name}={value}\n" for name, value in variables.items())
    return text.encode().ljust(ENVIRONMENT_BYTES, b"#")


def make_program(target: Path) -> None:
    """BOOTX64.EFI by grub-mkimage(1)."""
    command = [
        "grub-mkimage",
        "-O",
        "x86_64-efi",
        "-p",
        "/grub",
        "-c",
        str(HERE / "early.cfg"),
        "-o",
        str(target),
    ]
    subprocess.run([*command, *MODULES], check=True)
