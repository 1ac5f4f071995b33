"""Searches whole folders for what must not be there."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

from tests.system.stack import Stack
from tests.system.visit import until


def found(place: Path, canaries: list[str], but: frozenset[str] = frozenset()) -> list[Path]:
    """Files below a place that hold a canary, in one or two bytes a character."""
    forms = [form for text in canaries for form in (text.encode(), text.encode("utf-16-le"))]
    # A code is six digits: it does not count within a longer number.
    pattern = re.compile(b"|".join(rb"(?<![0-9.])" + re.escape(form) + rb"(?![0-9])" for form in forms))
    return [file for file in files(place) if file.name not in but and pattern.search(read(file))]


def broker_holds(stack: Stack, canaries: list[str]) -> list[Path]:
    """Have the broker write its store, and search that."""
    write_broker_store(stack)
    return found(stack.state / "broker", canaries)


def write_broker_store(stack: Stack) -> None:
    """Have the broker bring to disk what it holds (mosquitto(8): SIGUSR1)."""
    store = stack.state / "broker" / "store" / "mosquitto.db"
    before = store.stat().st_mtime_ns if store.exists() else 0
    os.kill(stack.system["pids"]["broker"], signal.SIGUSR1)
    until(lambda: store.exists() and store.stat().st_mtime_ns != before, "a store written by the broker")


def files(place: Path) -> Iterator[Path]:
    """Every file below a place, or the file itself."""
    if place.is_file():
        yield place
    for folder, _, names in os.walk(place):
        yield from (Path(folder, name) for name in names if Path(folder, name).is_file())


def read(file: Path) -> bytes:
    """What is in it; nothing if it is gone since."""
    try:
        return file.read_bytes()
    except OSError:
        return b""  # gone since, or a lock of the browser's
