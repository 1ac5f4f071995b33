"""RAUC as this product uses it: look at a bundle, install it, mark slots. Every error in words for a person."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

LOOK_TIMEOUT_S = 120.0
INSTALL_TIMEOUT_S = 3000.0
_PERCENT = re.compile(r"\s*(\d{1,3})%")
_REASONS: Mapping[str, str] = {
    "signature verification failed": "its signature is not one this unit trusts; sign it with the maker's key",
    "invalid bundle format": "it is no bundle, or a broken one",
    "bundle format 'plain' not allowed": "its format is plain; make it with format=verity",
    "compatible mismatch": "it is for another board",
    "too small for image": "its system is larger than the slot",
    "no space left": "its system is larger than the slot",
    "de.pengutronix.rauc": "rauc.service does not answer on this unit",
}


class RaucError(RuntimeError):
    """RAUC would not; the text says why."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a bundle's manifest says, its signature being good."""

    compatible: str
    version: str
    root_bytes: int


def look(bundle: Path, conf: Path | None = None) -> Bundle:
    """Check the signature and read the manifest. Raises RaucError."""
    done = _rauc("info", "--output-format=json", str(bundle), conf=conf)
    try:
        told = json.loads(done)
        sizes = [part["size"] for image in told["images"] for part in image.values()]
        return Bundle(str(told["compatible"]), str(told["version"]), sum(map(int, sizes)))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise RaucError("rauc did not say what is in it") from None


def install(bundle: Path, on_percent: Callable[[int], None]) -> None:
    """Write it into the slot that is not booted; some minutes. Raises RaucError."""
    words = ["rauc", "install", "--progress", str(bundle)]
    errors: list[str] = []
    with subprocess.Popen(
        words,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=_environment(),
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if found := _PERCENT.match(line):
                on_percent(min(int(found[1]), 100))
            else:
                errors = [*errors[-9:], line.strip()]
    if process.returncode != 0:
        raise RaucError(reason_of("\n".join(errors)))


def mark(what: str, slot: str) -> None:
    """`good`, `bad` or `active` for `booted` or `other`. Raises RaucError."""
    _rauc("status", f"mark-{what}", slot)


def reason_of(output: str) -> str:
    """What to tell a person of what RAUC has printed."""
    low = output.lower()
    for part, reason in _REASONS.items():
        if part in low:
            return reason
    lines = [line for line in output.splitlines() if line.strip() and not line.startswith("rauc-Message")]
    return f"rauc: {lines[-1].strip()[:200]}" if lines else "rauc did not say why"


def _rauc(*words: str, conf: Path | None = None) -> str:
    start = ["rauc", *([f"--conf={conf}"] if conf else []), *words]
    try:
        done = subprocess.run(
            start, check=False, capture_output=True, text=True, timeout=LOOK_TIMEOUT_S, env=_environment()
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RaucError(f"rauc {words[0]}: {type(error).__name__}") from None
    if done.returncode != 0:
        raise RaucError(reason_of(done.stderr + done.stdout))
    return done.stdout


def _environment() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C"}
