"""RAUC as this product uses it: look at a bundle, install it, mark slots. Every error in words for a person."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

LOOK_TIMEOUT_S = 120.0
INSTALL_TIMEOUT_S = 3000.0
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


class Rauc:
    """conf: another system.conf than RAUC's own, for tests."""

    def __init__(self, conf: Path | None = None) -> None:
        self._start = ["rauc", *([f"--conf={conf}"] if conf else [])]

    def look(self, bundle: Path) -> Bundle:
        """Check the signature and read the manifest. Raises RaucError."""
        done = self._run("info", "--output-format=json", str(bundle))
        try:
            told = json.loads(done)
            sizes = [part["size"] for image in told["images"] for part in image.values()]
            return Bundle(str(told["compatible"]), str(told["version"]), sum(map(int, sizes)))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise RaucError("rauc did not say what is in it") from None

    def install(self, bundle: Path) -> None:
        """Write it into the slot that is not booted; some minutes. Raises RaucError."""
        self._run("install", str(bundle), timeout_s=INSTALL_TIMEOUT_S)

    def mark(self, what: str, slot: str) -> None:
        """`good`, `bad` or `active` for `booted` or `other`. Raises RaucError."""
        self._run("status", f"mark-{what}", slot)

    def _run(self, *words: str, timeout_s: float = LOOK_TIMEOUT_S) -> str:
        try:
            done = subprocess.run(
                [*self._start, *words],
                check=False,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout_s,
                env={**os.environ, "LC_ALL": "C"},
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise RaucError(f"rauc {words[0]}: {type(error).__name__}") from None
        if done.returncode != 0:
            raise RaucError(reason_of(done.stdout + done.stderr))
        return done.stdout


def reason_of(output: str) -> str:
    """What to tell a person of what RAUC has printed."""
    low = output.lower()
    for part, reason in _REASONS.items():
        if part in low:
            return reason
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    said = [line.removeprefix("LastError: ") for line in lines if line.startswith("LastError: ")]
    said = said or [line for line in lines if not line.startswith(("rauc-Message", "(rauc:"))]
    return f"rauc: {said[-1][:200]}" if said else "rauc did not say why"
