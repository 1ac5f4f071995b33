"""What all tests share: how hard hypothesis tries, and what keeps the unit tests quick."""

from __future__ import annotations

import gc
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

# No deadline: on a busy machine it would measure the machine. What breaks is printed, so nothing need be kept;
# HALSORUM_TESTS=thorough looks longer, and keeps it.
settings.register_profile("quick", max_examples=20, deadline=None, database=None)
settings.register_profile("thorough", max_examples=500, deadline=None)
settings.load_profile(os.environ.get("HALSORUM_TESTS", "quick"))

REAL_SYSTEM = ("end_to_end", "system")
MEMORY_DISK = Path("/dev/shm")
MEMORY_DISK_FREE_BYTES = 512 * 1024**2


def is_unit_run(config: pytest.Config) -> bool:
    return bool(config.option.markexpr == "not end_to_end")


# Imports make much and drop little; the collector would look at all of it again and again.
gc.disable()


def pytest_configure(config: pytest.Config) -> None:
    """Unit tests write to memory: their databases are synced at every commit, and nobody pulls the plug."""
    if (
        is_unit_run(config)
        and MEMORY_DISK.is_dir()
        and shutil.disk_usage(MEMORY_DISK).free > MEMORY_DISK_FREE_BYTES
    ):
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY_DISK))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Unit tests need not import browsers and servers in order to leave them out."""
    return True if is_unit_run(config) and collection_path.name in REAL_SYSTEM else None


def pytest_collection_finish() -> None:
    """What was imported stays; the collector need not look at it again in every test."""
    gc.freeze()
    gc.enable()
