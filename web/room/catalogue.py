"""The texts on the screen: one JSON file per language, Swedish first."""

from __future__ import annotations

import functools
import json
from pathlib import Path

LANGUAGES_FOLDER = Path(__file__).parent / "languages"
FIRST_LANGUAGE = "sv"


@functools.cache
def catalogues() -> dict[str, dict[str, str]]:
    """Language code to texts by key; Swedish stands first and is what others fall back to."""
    found = {
        file.stem: json.loads(file.read_text("utf-8")) for file in sorted(LANGUAGES_FOLDER.glob("*.json"))
    }
    return {FIRST_LANGUAGE: found.pop(FIRST_LANGUAGE), **found}


def text(language: str, key: str) -> str:
    """One text as it stands; raises KeyError for a key that no catalogue has."""
    return catalogues()[language][key]
