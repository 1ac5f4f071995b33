"""Configurations as they are typed."""

from __future__ import annotations

from typing import Any

import pytest

from provisioning.config_words import from_toml, given_back, typed
from web.clinic.services import Refused


@pytest.mark.parametrize(
    ("pairs", "own", "values"),
    [
        (["volume=3"], {}, {"volume": 3}),
        (["phone=812345"], {}, {"phone": "812345"}),
        (["phone=08-123 45"], {}, {"phone": "08-123 45"}),
        (["high_contrast=true"], {}, {"high_contrast": True}),
        (["languages=sv, fi"], {}, {"languages": ["sv", "fi"]}),
        (["languages=sv"], {}, {"languages": ["sv"]}),
        (['languages=["sv"]'], {}, {"languages": ["sv"]}),
        (["media_ports="], {}, {"media_ports": ""}),
        (
            ["network.vlan=12"],
            {"network": {"method": "static"}},
            {"network": {"method": "static", "vlan": 12}},
        ),
        (
            ["broker.port=443", "broker.host=mqtt.example"],
            {},
            {"broker": {"port": 443, "host": "mqtt.example"}},
        ),
        (["selftest.at=03:30,12:00"], {}, {"selftest": {"at": ["03:30", "12:00"]}}),
        (["volume=loud"], {}, {"volume": "loud"}),
        (["no_such=1"], {}, {"no_such": 1}),
    ],
)
def test_as_the_contract_takes_it(pairs: list[str], own: dict[str, Any], values: dict[str, Any]) -> None:
    assert typed(pairs, own) == values


def test_given_back_whole_or_in_part() -> None:
    own = {"phone": "1", "network": {"vlan": 12, "method": "dhcp"}, "devices": {"camera": "/dev/video0"}}
    assert given_back(["phone", "network.vlan", "devices.camera"], own) == {
        "phone": None,
        "network": {"method": "dhcp"},
        "devices": None,
    }


def test_what_is_no_pair_and_no_toml() -> None:
    with pytest.raises(Refused, match="name=value"):
        typed(["volume"], {})
    with pytest.raises(Refused, match="TOML"):
        from_toml("volume: 3")
    assert from_toml("volume = 3\n[network]\nvlan = 12") == {"volume": 3, "network": {"vlan": 12}}
