"""One table of what can be wrong, and one sentence for each."""

from __future__ import annotations

import re

import pytest
from pydantic import TypeAdapter

from agent.contract.body import Kind
from agent.contract.instructions import (
    INSTRUCTIONS,
    OF_REGION,
    OTHER,
    TEXTS,
    instruction,
    text,
    texts,
    worst_first,
)

LANGUAGES = sorted(file.stem for file in TEXTS.glob("*.json"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_entry_has_one_sentence_of_what_to_do_in_each_language(language):
    assert set(texts(language)) == {*INSTRUCTIONS, *OF_REGION, "other"}
    for key, each in texts(language).items():
        assert each.fault and not each.fault.endswith("."), key
        assert re.search(r"[.؟!]$", each.do), key


def test_keys_and_probes_are_fit_for_the_wire():
    for key, entry in (INSTRUCTIONS | OF_REGION).items():
        TypeAdapter(Kind).validate_python(key)
        TypeAdapter(Kind).validate_python(entry.probe)


def test_what_keeps_visits_out_comes_first_then_the_cause():
    assert worst_first(["camera_dark", "turn", "network_cable", "camera_dark", "made_up"]) == (
        "network_cable",
        "turn",
        "made_up",
        "camera_dark",
    )


def test_a_key_nobody_knows_names_itself():
    assert instruction("made_up") is OTHER
    assert instruction("lost").level == "fail"
    assert "made_up" in text("sv", "made_up").do
    assert text("xx", "camera") == text("sv", "camera")
