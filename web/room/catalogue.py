"""The texts on the screen: one JSON file per language, Swedish first.

A language is offered only when it says everything that Swedish says. `python -m web.room` lists what each
language still lacks.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from agent.contract import instructions

LANGUAGES_FOLDER = Path(__file__).parent / "languages"
FIRST_LANGUAGE = "sv"
INSTRUCTION, FAULT = "instruction", "instruction_fault"
"""Families of keys: what to do, and what is wrong (agent/contract/instructions.py)."""
LANGUAGE_ORDER = ("sv", "en", "fi", "ar")
"""How they stand on the screen; others follow by their code."""
PLURAL_FORMS = frozenset({"zero", "one", "two", "few", "many"})
"""Categories of Unicode's plural rules (UTS 35 part 3): a language adds `<key>.<form>` where it needs one."""


@functools.cache
def all_catalogues() -> dict[str, dict[str, str]]:
    """Language code to texts by key, also of languages that are not complete."""
    files = sorted(LANGUAGES_FOLDER.glob("*.json"), key=lambda file: _place(file.stem))
    return {file.stem: json.loads(file.read_text("utf-8")) | _instructions(file.stem) for file in files}


def _instructions(language: str) -> dict[str, str]:
    """What is wrong with the room and what to do, in the words that the region's notices have too; staff read
    them, in Swedish where their language has none."""
    said = instructions.texts(language).items()
    return {f"{INSTRUCTION}.{key}": each.do for key, each in said} | {
        f"{FAULT}.{key}": each.fault for key, each in said
    }


@functools.cache
def catalogues() -> dict[str, dict[str, str]]:
    """The languages that the screen may offer: those that lack nothing. Swedish stands first."""
    whole = all_catalogues()
    return {code: texts for code, texts in whole.items() if not missing(texts, whole[FIRST_LANGUAGE])}


def missing(texts: Mapping[str, str], first: Mapping[str, str]) -> list[str]:
    """The keys that a language lacks or has left empty, in the order of the first language."""
    return [key for key in first if not texts.get(key, "").strip() and not is_plural_form(key, first)]


def is_plural_form(key: str, texts: Mapping[str, str]) -> bool:
    """Whether a key is another form of a text with a count, which each language has as it needs."""
    base, _, form = key.rpartition(".")
    return form in PLURAL_FORMS and base in texts


def text(language: str, key: str) -> str:
    """One text as it stands; raises KeyError for a key that no catalogue has."""
    return catalogues()[language][key]


def _place(code: str) -> tuple[int, str]:
    return (LANGUAGE_ORDER.index(code) if code in LANGUAGE_ORDER else len(LANGUAGE_ORDER), code)


def report(asked: Sequence[str] = ()) -> str:
    """How complete each language is; of those asked for, or else of those that we mean to offer, every text
    that is missing."""
    whole = all_catalogues()
    first = whole[FIRST_LANGUAGE]
    lines = []
    for code, texts in whole.items():
        lacks = missing(texts, first)
        lines.append(f"{code}: {f'hidden, {len(lacks)} texts are missing' if lacks else 'complete'}")
        if code in (asked or LANGUAGE_ORDER):
            lines += [f'  "{key}": "{first[key]}"' for key in lacks]
    return "\n".join(lines)
