"""Versions of the whole system, as os-release(5) has them in IMAGE_VERSION and a bundle in its manifest. Pure.

Numbers with dots between, and perhaps a word that makes it an earlier one (Semantic Versioning 2.0.0, section 11).

>>> is_older("0.9.0", "0.10.0"), is_older("1.0.0-rc1", "1.0.0"), is_older("1.0", "1.0.0")
(True, True, False)
"""

from __future__ import annotations

import re
from itertools import zip_longest

PATTERN = re.compile(
    r"(0|[1-9][0-9]{0,8})(\.(0|[1-9][0-9]{0,8})){1,3}(-[A-Za-z0-9]{1,20}(\.[A-Za-z0-9]{1,20}){0,3})?"
)


def is_version(text: str) -> bool:
    """Whether it is one at all."""
    return PATTERN.fullmatch(text) is not None


def is_older(one: str, other: str) -> bool:
    """Whether one comes before the other. Raises ValueError for what is no version."""
    for text in (one, other):
        if not is_version(text):
            raise ValueError(f"{text[:40]!r} is no version such as 1.2.3")
    numbers, word = _parts(one)
    others, other_word = _parts(other)
    for mine, theirs in zip_longest(numbers, others, fillvalue=0):
        if mine != theirs:
            return mine < theirs
    if not word or not other_word:
        return bool(word) and not other_word
    return word < other_word


def _parts(text: str) -> tuple[list[int], list[tuple[bool, int, str]]]:
    numbers, _, word = text.partition("-")
    words = [
        (not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in word.split(".") if part
    ]
    return [int(number) for number in numbers.split(".")], words
