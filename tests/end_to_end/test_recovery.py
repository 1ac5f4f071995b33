"""A call that loses its line, its address, its broker or its region, on a network of its own; needs root.

Limits are generous, since everything shares two processors here; `make recovery` prints the figures.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.recovery.cases import all_cases
from tests.recovery.room import Call, call_on
from tests.system.network import why_not

pytestmark = [
    pytest.mark.long,
    pytest.mark.end_to_end,
    pytest.mark.skipif(bool(why_not()), reason=why_not() or "a network can be made"),
]

NOTICED_WITHIN_S = 6.0
BACK_WITHIN_S = 15.0
CASES = {case.name: case for case in all_cases()}
BROKEN = ["unit: cable out, 3 s", "unit: silent drop, 10 s", "office: silent drop, 10 s"]
MOVED = ["unit: cable to wifi", "office: cable to wifi"]
BEHIND = ["broker killed", "region killed"]


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Call]:
    with call_on(tmp_path_factory.mktemp("recovery")) as made:
        yield made
        for part in ("region", "unit"):
            print(f"--- {part}\n{made.stack.log(part)[-6000:]}")


@pytest.mark.parametrize("name", BROKEN)
def test_a_lost_line_is_said_on_both_screens_and_the_call_comes_back(call: Call, name: str) -> None:
    played = call.play(CASES[name])
    print(played)
    for side in played.sides.values():
        assert side.noticed_s is not None
        assert side.noticed_s < NOTICED_WITHIN_S
        assert side.said
        assert side.told_to_call_s is None
    assert played.back_s is not None
    assert played.back_s < BACK_WITHIN_S


@pytest.mark.parametrize("name", MOVED)
def test_another_address_takes_the_call_over(call: Call, name: str) -> None:
    played = call.play(CASES[name])
    print(played)
    assert played.back_s is not None
    assert played.back_s < BACK_WITHIN_S


@pytest.mark.parametrize("name", BEHIND)
def test_broker_and_region_carry_no_media(call: Call, name: str) -> None:
    played = call.play(CASES[name])
    print(played)
    assert [side.said for side in played.sides.values()] == ["", ""]
    call.office.page.wait_for_selector("#content[data-feed='up']")
