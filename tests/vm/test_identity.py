from __future__ import annotations

import pytest

from tests.vm.identity import agent_user

SYSUSERS = """
g halsorum         970 -
u halsorum-kiosk   971:971 "browser" /run
u halsorum         970:974 "agent"   /var/lib/halsorum
"""


def test_the_agents_numbers_are_those_of_its_line() -> None:
    assert agent_user(SYSUSERS) == (970, 974)


def test_numbers_that_are_not_fixed_are_told() -> None:
    with pytest.raises(ValueError, match="no line"):
        agent_user("u halsorum - -")
