"""The agent's Python packages: those of .ci/requirements.lock that it needs, for another machine than this one."""

from __future__ import annotations

import hashlib
import re
import sys
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
GLIBC_MINOR = 36
"""Of Debian 12: wheels made for it or for an older one run there (PEP 600)."""
FROM_DEBIAN = {"systemd-python"}
"""There is no wheel of it; Debian's python3-systemd is the same version."""


class WheelError(ValueError):
    """The wheels are not those that the lock names; the text says which."""


def locked(lock: str) -> dict[str, tuple[str, frozenset[str]]]:
    """Of a lock in pip's requirements file format: `name==version; marker` → name and its hashes."""
    entries = {}
    for line in lock.replace("\\\n", " ").splitlines():
        if line.strip() and not line.startswith("#"):
            requirement = re.sub(r"\s*--hash=\S+", "", line).strip()
            name = re.split(r"[=<>;\s\[]", requirement, maxsplit=1)[0]
            entries[requirement] = (name, frozenset(re.findall(r"--hash=sha256:([0-9a-f]{64})", line)))
    return entries


def wanted(pyproject: str) -> list[str]:
    """The project's dependencies without the extras of development and what comes from Debian."""
    dependencies: list[str] = tomllib.loads(pyproject)["project"]["dependencies"]
    return [each for each in dependencies if re.split(r"[=<>;\s\[]", each)[0].lower() not in FROM_DEBIAN]


def platforms(architecture: str) -> list[str]:
    """Platform tags that Debian 12 runs, the newest first (PEP 600, with PEP 513's old names)."""
    machine = MACHINES[architecture]
    tags = [f"manylinux_2_{minor}_{machine}" for minor in range(GLIBC_MINOR, 4, -1)]
    return [
        *tags,
        f"manylinux2014_{machine}",
        f"manylinux2010_{machine}",
        f"manylinux1_{machine}",
        f"linux_{machine}",
    ]


def for_target(architecture: str) -> list[str]:
    """pip's options for the image's Python instead of this one."""
    options = ["--only-binary=:all:", "--implementation=cp", "--python-version=3.11"]
    options += [f"--abi={abi}" for abi in ("cp311", "abi3", "none")]
    return options + [f"--platform={tag}" for tag in platforms(architecture)]


def pip_download(architecture: str, requirements: Path, constraints: Path, folder: Path) -> list[str]:
    """The command that fetches wheels into a folder; it resolves within the lock's versions alone."""
    files = ["-r", str(requirements), "-c", str(constraints), "-d", str(folder)]
    return [
        sys.executable,
        "-m",
        "pip",
        "download",
        "-q",
        "--no-cache-dir",
        *for_target(architecture),
        *files,
    ]


def pip_install(architecture: str, folder: Path, site_packages: Path, wheels: Iterable[Path]) -> list[str]:
    """The command that unpacks checked wheels of a folder, by name and version; nothing is run or resolved.

    By their paths, pip would note this machine's folders in the image (PEP 610).
    """
    options = [
        "--no-index",
        "--no-deps",
        "--no-compile",
        f"--find-links={folder}",
        f"--target={site_packages}",
    ]
    names = ["==".join(each.name.split("-")[:2]) for each in wheels]
    return [sys.executable, "-m", "pip", "install", "-q", *for_target(architecture), *options, *names]


def check(wheels: Iterable[Path], entries: Mapping[str, tuple[str, frozenset[str]]]) -> None:
    """Every wheel's SHA-256 stands in the lock under its name. Raises WheelError."""
    hashes: dict[str, set[str]] = {}
    for name, known in entries.values():
        hashes.setdefault(_normal(name), set()).update(known)
    for wheel in wheels:
        if hashlib.sha256(wheel.read_bytes()).hexdigest() not in hashes.get(
            _normal(wheel.name.split("-")[0]), ()
        ):
            raise WheelError(
                f"{wheel.name} is not what .ci/requirements.lock names; remove it and build again"
            )


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def name_version(wheel: str) -> str:
    """Of a wheel's file name: `name-version`, the name normalised (PEP 427, PEP 503)."""
    name, version = wheel.split("-")[:2]
    return f"{_normal(name)}-{version}"
