"""Every text is there, in every language that is offered, with the same places to fill, and used."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from agent.call_watch import MATTERS
from agent.config import FIRST_LANGUAGES
from agent.contract import instructions
from agent.contract.schedule import PartyRole
from agent.screen import Refusal
from agent.session_state import State
from web.room.catalogue import (
    LANGUAGES_FOLDER,
    all_catalogues,
    catalogues,
    is_plural_form,
    missing,
    report,
)

ROOM = LANGUAGES_FOLDER.parent
SOURCE = "\n".join(file.read_text("utf-8") for kind in ("*.js", "*.py") for file in sorted(ROOM.rglob(kind)))
USED = set(re.findall(r"""\bt[n]?\(\s*"([a-z_.0-9]+)\"""", SOURCE))
USED |= set(re.findall(r"""\btext(?:In)?\(\w+, "([a-z_.0-9]+)\"""", SOURCE))
USED |= set(re.findall(r"""\bt\(\w+ === "\w+" \? "([a-z_.]+)" : "[a-z_.]+"\)""", SOURCE))
USED |= set(re.findall(r"""\btext\('\w+', '([a-z_.0-9]+)'""", SOURCE)) | {"entry.locked"}
FAMILIES = set(re.findall(r"""tOf\("([a-z_]+)\"""", SOURCE))
SWEDISH = all_catalogues()["sv"]
TO_BE_FILLED = ("se", "so")


def family(key: str) -> bool:
    return key.split(".", maxsplit=1)[0] in FAMILIES


def places(text: str) -> set[str]:
    return set(re.findall(r"\{\w+\}", text))


@pytest.mark.parametrize("language", FIRST_LANGUAGES)
def test_what_we_offer_lacks_nothing(language: str) -> None:
    texts = all_catalogues()[language]
    assert missing(texts, SWEDISH) == [], f"python -m web.room {language} tells them"
    assert len(USED) > 60
    assert USED - set(texts) == set()


def test_the_languages_stand_in_the_order_of_the_first_configuration() -> None:
    assert tuple(catalogues())[:4] == FIRST_LANGUAGES


def test_no_text_is_left_unused() -> None:
    plural = {key for key in SWEDISH if is_plural_form(key, SWEDISH)}
    assert {key for key in SWEDISH if key not in USED | plural and not family(key)} == set()


@pytest.mark.parametrize("language", all_catalogues())
def test_every_language_says_no_more_than_swedish_with_the_same_places_to_fill(language: str) -> None:
    for key, text in all_catalogues()[language].items():
        base = key.rpartition(".")[0] if is_plural_form(key, SWEDISH) and key not in SWEDISH else key
        assert base in SWEDISH, f"{key} is no text of the Swedish catalogue"
        optional = {"{count}"} if is_plural_form(key, SWEDISH) else set()
        assert places(text) | optional == places(SWEDISH[base]) | optional, key


@pytest.mark.parametrize("language", TO_BE_FILLED)
def test_a_language_to_be_filled_is_hidden_and_the_report_tells_what_it_lacks(language: str) -> None:
    assert language not in catalogues()
    assert all_catalogues()[language]["language.name"]
    assert f"{language}: hidden" in report()
    assert f'"help": "{SWEDISH["help"]}"' in report([language])
    assert f'"help": "{SWEDISH["help"]}"' not in report(["sv"])


def test_an_empty_text_is_a_missing_one_and_a_plural_form_is_not() -> None:
    first = {"tries": "{count}", "tries.one": "1", "help": "Hjälp"}
    assert missing({"tries": "{count}", "help": " "}, first) == ["help"]
    assert missing({"tries": "{count}", "tries.few": "x", "help": "Apua"}, first) == []


@pytest.mark.parametrize(
    ("prefix", "values"),
    [
        ("refusal", get_args(Refusal)),
        ("role", get_args(PartyRole)),
        ("state", tuple(state.value for state in State)),
        ("warning", [what for what, matter in MATTERS.items() if matter.patient]),
        ("instruction", ("camera", "microphone", "encoder", "region")),
    ],
)
def test_every_value_the_agent_may_send_has_its_words(prefix: str, values: tuple[str, ...]) -> None:
    assert prefix in FAMILIES
    assert {f"{prefix}.{value}" for value in values} <= set(SWEDISH)


@pytest.mark.parametrize("file", sorted((ROOM / "static").rglob("*.css")), ids=lambda file: Path(file).name)
def test_every_picture_a_style_names_is_ours(file: Path) -> None:
    for address in re.findall(r"url\(\"?([^\")]+)", file.read_text("utf-8")):
        place = ROOM.parent / address[1:] if address.startswith("/shared/") else file.parent / address
        assert place.is_file()


def test_each_instruction_has_its_drawing() -> None:
    entries = [*instructions.INSTRUCTIONS.values(), *instructions.OF_REGION.values(), instructions.OTHER]
    style = (ROOM / "static" / "staff.css").read_text("utf-8")
    for picture in {entry.picture for entry in entries}:
        assert f'[data-drawing="{picture}"]' in style
        drawing = (ROOM.parent / "shared" / "pictures" / f"{picture}.svg").read_text("utf-8")
        assert "<text" not in drawing
