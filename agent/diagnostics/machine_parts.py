"""What the machine tells of itself: journal, devices, disks, temperatures, versions. Each call may wait."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

from agent import VERSION

RUN_TIMEOUT_S = 10.0
JOURNAL_LINES = 4000
JOURNAL_UNITS = "halsorum-*"
PACKAGES = ("aiortc", "av", "paho-mqtt", "pydantic", "cryptography", "requests", "flask", "gpiozero")
SYS = Path("/sys")


def run(command: Sequence[str], timeout_s: float = RUN_TIMEOUT_S) -> str:
    """What a program prints; what it complains of in brackets where it fails, or is not installed."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=timeout_s, check=False
        )
    except FileNotFoundError:
        return f"({command[0]} is not installed)\n"
    except subprocess.TimeoutExpired:
        return f"({command[0]} took longer than {timeout_s:.0f} s)\n"
    return (
        done.stdout if done.returncode == 0 else f"{done.stdout}({command[0]}: {done.stderr.strip()[:300]})\n"
    )


def journal(ring_text: Callable[[], str]) -> str:
    """Our services' last day as systemd has it; else what the agent itself remembers."""
    ask = ["journalctl", "--quiet", "--no-pager", "--output=short-iso", "--since=-24h"]
    said = run([*ask, f"--unit={JOURNAL_UNITS}", f"--lines={JOURNAL_LINES}"])
    has_lines = any(line and not line.startswith("(") for line in said.splitlines())
    return said if has_lines else f"(the journal has nothing: {said.strip()})\n{ring_text()}"


def devices(sys: Path = SYS) -> Mapping[str, Any]:
    """Cameras, sound, USB, disks, temperatures."""
    return {
        "v4l2": {each.name: _word(each / "name") for each in _entries(sys / "class/video4linux")},
        "alsa": {each.name: _word(each / "id") for each in _entries(sys / "class/sound") if _is_card(each)},
        "usb": [_usb(each) for each in _entries(sys / "bus/usb/devices") if (each / "idVendor").exists()],
        "pipewire": run(["pw-cli", "list-objects", "Node"], 5.0).splitlines()[:400],
        "disks": [_disk(each) for each in ("/", "/var", "/boot", "/boot/firmware")],
        "temperatures_c": {
            f"{zone.name} {_word(zone / 'type')}": _thousandth(_word(zone / "temp"))
            for zone in _entries(sys / "class/thermal")
            if (zone / "temp").exists()
        },
    }


def versions() -> Mapping[str, Any]:
    """Of the unit, the system and what it stands on."""
    release = ""
    with suppress(OSError):
        release = platform.freedesktop_os_release().get("PRETTY_NAME", "")
    return {
        "halsorum": VERSION,
        "python": sys.version.split()[0],
        "kernel": platform.release(),
        "machine": platform.machine(),
        "system": release,
        "packages": {name: _version(name) for name in PACKAGES},
    }


def store_sizes(folder: Path) -> Mapping[str, int]:
    """Bytes of each file of the unit's own folder. Names of those in deeper ones are left out, but counted."""
    sizes: dict[str, int] = {}
    for file in folder.rglob("*"):
        with suppress(OSError):
            if file.is_file() and not file.is_symlink():
                name = str(file.relative_to(folder).parts[0])
                sizes[name] = sizes.get(name, 0) + file.stat().st_size
    return sizes


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _is_card(entry: Path) -> bool:
    return entry.name.startswith("card") and (entry / "id").exists()


def _usb(entry: Path) -> str:
    """Vendor and product; serial numbers are left out."""
    ids = f"{_word(entry / 'idVendor')}:{_word(entry / 'idProduct')}"
    return f"{entry.name} {ids} {_word(entry / 'manufacturer')} {_word(entry / 'product')}".strip()


def _disk(place: str) -> Mapping[str, Any]:
    try:
        usage = shutil.disk_usage(place)
    except OSError:
        return {"place": place, "free_mib": None}
    return {"place": place, "total_mib": usage.total // 1024**2, "free_mib": usage.free // 1024**2}


def _word(file: Path) -> str:
    try:
        return file.read_text(errors="replace").strip()
    except OSError:
        return ""


def _thousandth(text: str) -> float | None:
    return int(text) / 1000 if text.lstrip("-").isdigit() else None


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
