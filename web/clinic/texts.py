"""Every word on the pages: two JSON files per language, IT's pages in one of their own; one loader."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

LANGUAGES = ("sv", "en")
"""Swedish first: it is what a page speaks until someone chooses another."""
PARTS = ("", "fleet.")
"""How the names of the files of a language begin."""
_FOLDER = Path(__file__).parent / "texts"
_FOR_SCRIPTS = {"js.": "", "log.role.": "role_", "log.identified.": "identified_"}
"""Which texts the scripts have, and what they call them."""


class Texts:
    """The texts of one language. Call it with a key; `{name}` in a text is filled from the arguments."""

    def __init__(self, language: str, entries: Mapping[str, str]) -> None:
        self.language = language
        self._entries = entries

    def __call__(self, key: str, **values: object) -> str:
        """The text of a key that the catalogue has; raises KeyError otherwise."""
        return self._entries[key].format(**values) if values else self._entries[key]

    def of(self, family: str, value: object) -> str:
        """The text of `family.value`, or the value itself if a newer unit says what we have no words for."""
        return self._entries.get(f"{family}.{value}", str(value))

    def for_scripts(self) -> dict[str, str]:
        """What the page's scripts say, by the scripts' own keys."""
        return {
            name + key.removeprefix(prefix): text
            for key, text in self._entries.items()
            for prefix, name in _FOR_SCRIPTS.items()
            if key.startswith(prefix)
        }


def load() -> dict[str, Texts]:
    """All languages, Swedish first."""
    return {
        language: Texts(
            language,
            {
                key: text
                for part in PARTS
                for key, text in json.loads((_FOLDER / f"{part}{language}.json").read_text("utf-8")).items()
            },
        )
        for language in LANGUAGES
    }
