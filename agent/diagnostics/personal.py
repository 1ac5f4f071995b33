"""Finds and masks what may tell of a person in a text. Pure.

Personnummer and samordningsnummer by date and check digit (Folkbokföringslag 1991:481, section 18; SKV 704),
e-mail addresses, telephone numbers, numbers that may be a one-time code, and words that the caller knows: names,
session ids, captions.

>>> Scanner().mask("called by 19811218-9876, again at 12:30")
('called by [personnummer], again at 12:30', Counter({'personnummer': 1}))
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date

_JOINT = r"[-+ \u00a0\u2010-\u2015]?"
_PERSONNUMMER = re.compile(rf"(?<!\d)((?:1[89]|20)?)(\d\d)(\d\d)(\d\d){_JOINT}(\d{{4}})(?!\d)")
_EMAIL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(
    r"(?<![\w.:+-])(?:(?:\+|00)[1-9]\d{0,2}[ -]?(?:\(0\)[ -]?)?\d(?:[ -]?\d){6,11}"
    r"|0[1-9]\d{0,2}[-/ ](?:[ -]?\d){5,9}|0[1-9]\d{7,8})(?![\w.:-]*\d)"
)
_CODE = re.compile(r"(?<![\w.:+-])(?<!\": )(?<!\w\[)\d{6}(?![\w.:-])")
"""A one-time code has six digits; most other numbers of six have something at their side, or are JSON's."""
COORDINATION = 60
"""Added to the day in a samordningsnummer."""
SHORTEST_WORD = 2
"""A name of one letter would mask that letter everywhere."""


def is_personnummer(digits: str) -> bool:
    """Ten digits whose first six are a date and whose last is the check digit (Luhn; ISO/IEC 7812-1, annex B)."""
    year, month, day = int(digits[:2]), int(digits[2:4]), int(digits[4:6])
    try:
        # 2000 + year: leap years repeat within a century, and 1900 alone was none.
        date(2000 + year, month, day - COORDINATION if day > COORDINATION else day)
    except ValueError:
        return False
    doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(digits)]
    return sum(each // 10 + each % 10 for each in doubled) % 10 == 0


class Scanner:
    """words: what is known to tell of somebody; allowed: what stays, such as the support's telephone number."""

    def __init__(self, words: Iterable[str] = (), allowed: Iterable[str] = ()) -> None:
        known = {form for word in words for form in _forms(word)}
        self._words = _any_of(known) if known else None
        self._allowed = frozenset(_digits(each) for each in allowed) - {""}

    def mask(self, text: str) -> tuple[str, Counter[str]]:
        """The text with all that was found put in brackets by its kind, and how often each was."""
        found: Counter[str] = Counter()

        def masked(kind: str, fits: Callable[[re.Match[str]], bool]) -> Callable[[re.Match[str]], str]:
            def instead(match: re.Match[str]) -> str:
                if not fits(match):
                    return match.group()
                found[kind] += 1
                return f"[{kind}]"

            return instead

        if self._words is not None:
            text = self._words.sub(masked("person", lambda _: True), text)
        text = _EMAIL.sub(masked("email", lambda _: True), text)
        text = _PERSONNUMMER.sub(masked("personnummer", _checks), text)
        text = _PHONE.sub(masked("phone", lambda match: _digits(match.group()) not in self._allowed), text)
        text = _CODE.sub(masked("code", lambda _: True), text)
        return text, found

    def is_clean(self, text: str) -> bool:
        """Whether nothing is found in it."""
        return not self.mask(text)[1]


def _checks(match: re.Match[str]) -> bool:
    return is_personnummer("".join(match.groups()[1:]))


def _digits(text: str) -> str:
    digits = re.sub(r"\D", "", text)
    return re.sub(r"^(0046|46(?=\d{7,}))0?", "0", digits)


def _forms(word: str) -> Iterable[str]:
    """A word, and each part of a name of several; as JSON writes them too."""
    parts = [word.strip(), *word.split()] if len(word) <= 60 else [word.strip()]
    for part in parts:
        if len(part) >= SHORTEST_WORD:
            yield part
            yield part.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _any_of(words: Iterable[str]) -> re.Pattern[str]:
    longest_first = sorted(words, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)", re.IGNORECASE)
