"""What keeps the unit in order, each second."""

from __future__ import annotations

import pytest

from agent.upkeep import Upkeep


def test_a_part_that_fails_keeps_no_other_from_its_turn() -> None:
    upkeep, turns = object.__new__(Upkeep), []

    def full() -> None:
        turns.append("full")
        raise OSError("No space left on device")

    upkeep._ticks = [lambda: turns.append("commands")]
    upkeep.first_every_second(full)
    with pytest.raises(OSError, match="No space"):
        upkeep.tick()
    assert turns == ["full", "commands"]
