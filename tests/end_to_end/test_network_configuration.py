"""A network that the region sets on a unit: one that works, one that cuts it off, a kill in between. Needs root.

The unit stands in a network namespace whose line to broker and region really goes. systemd-networkd is played by a
stand-in (tests/system/networkd_stand_in.py), which reads the files that our service has rendered.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from firmware.board import BOARDS_FOLDER
from tests.system.network import Network, why_not
from tests.system.networkd_stand_in import path_with, write_programs
from tests.system.region_hand import RegionHand, with_settings
from tests.system.stack import Stack
from tests.system.visit import until

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.long,
    pytest.mark.skipif(bool(why_not()), reason=why_not() or "a network can be made"),
]
TRIAL_S = 10
WORKS = {"address": "10.71.1.7/24", "gateway": "10.71.1.1"}
CUTS_OFF = {"address": "10.71.9.9/24", "gateway": "10.71.9.1"}


@dataclass
class Place:
    """The unit in its namespace, and IT at the region."""

    region: RegionHand
    network: Network

    def set(self, **values: str) -> int:
        return self.region.set(
            network={"method": "static", "interface": "cable", "dns": ["10.71.0.1"], **values}
        )

    @property
    def address(self) -> str:
        command = self.network.unit.inside(["ip", "-json", "-4", "address", "show", "dev", "cable"])
        told: Any = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        return "".join(each["local"] for each in told[0]["addr_info"])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("network")
    run, state = folder / "run", folder / "system" / "unit" / "state"
    board = folder / "sim-networkd.toml"
    result = run / "halsorum-network" / "result.json"
    board.write_text(
        f'{(BOARDS_FOLDER / "sim.toml").read_text()}\n[network]\nkind = "networkd"\nresult = "{result}"\n'
    )
    with Network() as network, Stack(folder / "system", network=network) as stack:
        side = network.unit
        write_programs(folder / "bin", run, "cable", f"{side.address('cable')}/24", side.gateway("cable"))
        command = [sys.executable, "-m", "tests.system.networkd_stand_in", "serve", str(state), str(run)]
        stand_in = subprocess.Popen(side.inside(command), env=path_with(folder / "bin"))
        try:
            yield Place(with_settings(stack, board=str(board), trial_s=TRIAL_S), network)
        finally:
            print(stack.log("unit")[-6000:])
            stand_in.kill()
            stand_in.wait()


def test_a_network_that_works_is_kept_and_one_that_cuts_the_unit_off_is_left_again(place: Place) -> None:
    rev = place.set(**WORKS)
    place.region.expect("applied", rev)
    assert place.address == "10.71.1.7"
    cut = place.set(**CUTS_OFF)
    until(lambda: place.address == "10.71.9.9", "the unit cut off")
    report = place.region.expect("rolled_back", cut)
    assert (report.rev, place.address) == (rev, "10.71.1.7")
    place.region.expect("rolled_back", place.region.set(phone="010-9"))
    assert place.address == "10.71.1.7"


def test_an_agent_killed_while_it_is_cut_off_comes_back_on_the_old_network(place: Place) -> None:
    before = place.address
    place.region.set(attempt=1)
    until(lambda: place.address == "10.71.9.9", "the unit cut off")
    place.region.stack.kill_and_wait("unit")
    until(lambda: place.address == before, "the old address")
    until(lambda: place.region.report().state == "rolled_back", "told")
    assert "restarted or lost its power" in " ".join(place.region.report().errors)


def test_the_networks_own_is_had_again_when_nothing_is_set_any_more(place: Place) -> None:
    place.region.expect("applied", place.region.set(network=None))
    assert place.address == place.network.unit.address("cable")
    assert not list((Path(place.region.stack.state) / "unit" / "state" / "network").glob("*.json"))
