"""What may be logged of an error that nobody foresaw: its kind and where, since its text may repeat what came."""

from __future__ import annotations

import traceback
from pathlib import Path

DEEPEST = 6


def kind_and_place(error: BaseException) -> str:
    """Such as `KeyError at wire.py:120, unit.py:88`: the innermost lines last, and no values."""
    frames = traceback.extract_tb(error.__traceback__)[-DEEPEST:]
    return f"{type(error).__name__} at {', '.join(f'{Path(f.filename).name}:{f.lineno}' for f in frames)}"
