"""Files that `make run` writes for its parts, for their owner alone."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def write_toml(file: Path, values: dict[str, Any], **tables: dict[str, Any]) -> Path:
    """Settings, with tables of settings."""
    # JSON's strings, numbers and booleans are TOML's too.
    lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    for table, inner in tables.items():
        lines += [f"[{table}]", *(f"{name} = {json.dumps(value)}" for name, value in inner.items())]
    write_private(file, "\n".join(lines) + "\n")
    return file


def write_private(file: Path, text: str) -> None:
    """A file, whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = file.with_suffix(".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as output:
        output.write(text)
    new.replace(file)
