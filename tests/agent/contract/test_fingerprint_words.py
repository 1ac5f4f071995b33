"""Words for a key's fingerprint."""

from __future__ import annotations

import hashlib
from itertools import combinations

import pytest

from agent.contract.fingerprint_words import WORDS, words_of


def test_each_byte_has_a_word_of_its_own_that_is_heard_apart() -> None:
    assert len(WORDS) == len(set(WORDS)) == 256
    for one, other in combinations(WORDS, 2):
        if len(one) == len(other):
            assert sum(a != b for a, b in zip(one, other, strict=True)) > 1, (one, other)


def test_another_key_has_other_words() -> None:
    first, second = (hashlib.sha256(key).hexdigest() for key in (b"one", b"two"))
    assert len(words_of(first)) == 8
    assert words_of(first) == words_of(first) != words_of(second)


@pytest.mark.parametrize("text", ["", "abcd", "zz" * 32])
def test_what_is_no_fingerprint_has_no_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        words_of(text)
