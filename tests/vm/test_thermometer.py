"""The thermometer's register, as the data sheet's table has it."""

from __future__ import annotations

import pytest

from tests.vm.thermometer import register


@pytest.mark.parametrize(
    ("celsius", "high_then_low"), [(125.0, "7d00"), (25.5, "1980"), (0.0, "0000"), (-25.0, "e700")]
)
def test_a_temperature_is_written_high_byte_first(celsius: float, high_then_low: str) -> None:
    assert register(celsius).to_bytes(2, "little").hex() == high_then_low
