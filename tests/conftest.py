"""What all tests share: how hard hypothesis tries, and that unit tests load nothing of the end-to-end ones."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# No deadline: on a busy machine it would measure the machine. What breaks is printed, so nothing need be kept;
# HALSORUM_TESTS=thorough looks longer, and keeps it.
settings.register_profile("quick", max_examples=20, deadline=None, database=None)
settings.register_profile("thorough", max_examples=500, deadline=None)
settings.load_profile(os.environ.get("HALSORUM_TESTS", "quick"))

REAL_SYSTEM = ("end_to_end", "system")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Unit tests need not import browsers and servers in order to leave them out."""
    without = config.option.markexpr == "not end_to_end"
    return True if without and collection_path.name in REAL_SYSTEM else None
