"""Runs another program for root's services. Standard library only, for a quick boot."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence

Run = Callable[[Sequence[str], float], tuple[int, str]]
"""A program and its time in seconds; its exit code (-1: it did not run or did not end) and what it said."""


def run_program(command: Sequence[str], within_s: float) -> tuple[int, str]:
    """A Run, for real."""
    try:
        done = subprocess.run(
            command, check=False, capture_output=True, timeout=within_s, text=True, errors="replace"
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return -1, f"{command[0]}: {type(error).__name__}"
    return done.returncode, done.stderr or done.stdout
