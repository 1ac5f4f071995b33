"""Every text is there, in every language, with the same places to fill, and used."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from agent.contract.schedule import PartyRole
from agent.screen import Refusal
from agent.session_state import State
from web.room.catalogue import LANGUAGES_FOLDER, catalogues

ROOM = LANGUAGES_FOLDER.parent
SOURCE = "\n".join(file.read_text("utf-8") for kind in ("*.js", "*.py") for file in sorted(ROOM.rglob(kind)))
USED = set(re.findall(r"""\bt\(\s*"([a-z_.]+)\"""", SOURCE))
USED |= set(re.findall(r"""\btext(?:In)?\(\w+, "([a-z_.]+)\"""", SOURCE))
USED |= set(re.findall(r"""\btext\('\w+', '([a-z_.]+)'""", SOURCE)) | {"entry.locked"}
FAMILIES = set(re.findall(r"""tOf\("([a-z_]+)\"""", SOURCE))
LANGUAGES = sorted(catalogues())


def family(key: str) -> bool:
    return key.split(".", maxsplit=1)[0] in FAMILIES


def test_swedish_stands_first() -> None:
    assert next(iter(catalogues())) == "sv"
    assert "en" in catalogues()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_that_is_used_is_there(language: str) -> None:
    assert len(USED) > 60
    assert USED - set(catalogues()[language]) == set()


def test_no_text_is_left_unused() -> None:
    assert {key for key in catalogues()["sv"] if key not in USED and not family(key)} == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_languages_say_the_same_things_with_the_same_places_to_fill(language: str) -> None:
    swedish, other = catalogues()["sv"], catalogues()[language]
    assert list(other) == list(swedish)
    places = {key: set(re.findall(r"\{\w+\}", text)) for key, text in swedish.items()}
    assert {key: set(re.findall(r"\{\w+\}", text)) for key, text in other.items()} == places
    assert all(text.strip() for text in other.values())


@pytest.mark.parametrize(
    ("prefix", "values"),
    [
        ("refusal", get_args(Refusal)),
        ("role", get_args(PartyRole)),
        ("state", tuple(state.value for state in State)),
        ("instruction", ("camera", "microphone", "encoder", "region")),
    ],
)
def test_every_value_the_agent_may_send_has_its_words(prefix: str, values: tuple[str, ...]) -> None:
    assert prefix in FAMILIES
    assert {f"{prefix}.{value}" for value in values} <= set(catalogues()["sv"])


@pytest.mark.parametrize("file", sorted((ROOM / "static").rglob("*.css")), ids=lambda file: Path(file).name)
def test_every_picture_a_style_names_is_ours(file: Path) -> None:
    for address in re.findall(r"url\(\"?([^\")]+)", file.read_text("utf-8")):
        assert (file.parent / address).is_file()
