"""Which of our boards this machine is, by what it says of itself: the device tree's model, or the BIOS."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from pathlib import Path

AUTO = "auto"
MODELS = {
    "Raspberry Pi 4": "pi4",
    "Raspberry Pi Compute Module 4": "pi4",
    "Raspberry Pi 400": "pi4",
    "Raspberry Pi 5": "pi5",
    "Raspberry Pi Compute Module 5": "pi5",
    "Raspberry Pi 500": "pi5",
}
"""Begins of /proc/device-tree/model (the Raspberry Pi kernel's device trees)."""
VIRTUAL_VENDORS = ("QEMU", "KVM", "Bochs", "innotek", "VMware", "Xen")
PC = ("x86_64", "AMD64")


@dataclass(frozen=True, slots=True)
class ThisBoard:
    """name of a profile, empty where none fits; why."""

    name: str
    why: str


def this_board(root: Path = Path("/"), machine: str | None = None) -> ThisBoard:
    """The profile that fits this machine. root: where /proc and /sys are, for tests."""
    model = _text(root / "proc/device-tree/model")
    if model:
        name = next((board for begin, board in MODELS.items() if model.startswith(begin)), "")
        return ThisBoard(name, f"the device tree says {model}" + ("" if name else ", which has no profile"))
    dmi = root / "sys/class/dmi/id"
    vendor, product = _text(dmi / "sys_vendor"), _text(dmi / "product_name")
    said = f"{vendor} {product}".strip()
    if said and any(vendor.startswith(each) for each in VIRTUAL_VENDORS):
        return ThisBoard("vm", f"the BIOS says {said}")
    if said and (machine or platform.machine()) in PC:
        return ThisBoard("x86", f"the BIOS says {said}")
    return ThisBoard("", "this machine does not say what it is (no device tree, no BIOS tables)")


def _text(file: Path) -> str:
    try:
        return file.read_bytes().replace(b"\0", b"").decode("utf-8", "replace").strip()
    except OSError:
        return ""
