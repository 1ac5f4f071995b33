from __future__ import annotations

import pytest

from web.clinic.refusals import refusal_words
from web.clinic.services import Clash, Refused
from web.clinic.texts import load

SWEDISH = load()["sv"]


@pytest.mark.parametrize(
    ("refused", "words"),
    [
        (
            Clash("start", "the room is booked 2026-03-02 10:00–10:30 (A17); choose another time or room"),
            "Rummet är bokat 2026-03-02 10:00–10:30 (A17). Välj en annan tid eller ett annat rum.",
        ),
        (Refused("start", "is in the past"), "Tiden har redan varit. Välj en senare tid."),
        (Refused("time", "no_time"), "Skriv tiden som timme och minut."),
        (Refused("start", "is on a moon"), "is on a moon"),
        (Refused("other", "is in the past"), "is in the past"),
    ],
)
def test_a_reason_is_told_in_the_readers_language_or_as_it_came(refused, words):
    assert refusal_words(refused, SWEDISH) == words
