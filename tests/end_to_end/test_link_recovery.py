"""The link to a real broker over a line that moves and dies; needs root."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agent.contract import down_filter
from agent.link import Link, LinkSettings
from agent.media.aiortc_internals import host_addresses
from provisioning.broker import find_mosquitto
from provisioning.broker_files import write_files
from provisioning.local_parts import Part
from provisioning.pki import Authority
from tests.system.network import REGION_ADDRESS, Network, why_not, within
from tests.system.stack import free_port

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif(bool(why_not()), reason=why_not() or "a network can be made"),
]
PATIENCE_S = 30.0


@dataclass
class Line:
    """A link on the unit's side, and what it has told."""

    network: Network
    told: queue.Queue[bool] = field(default_factory=queue.Queue)
    link: Link = field(init=False)

    def expect(self, up: bool) -> None:
        assert self.told.get(timeout=PATIENCE_S) is up

    def network_changed(self) -> None:
        self.link.network_changed(self.network.unit.call(host_addresses))


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    authority, port = Authority(tmp_path / "pki"), free_port()
    unit = authority.client("unit-1")
    files = write_files(
        tmp_path / "broker", authority.server([REGION_ADDRESS]), port=port, host=REGION_ADDRESS
    )
    with Network() as network:
        broker = Part("broker", [find_mosquitto(), "-c", str(files.config)], files.log, lambda: True)
        made = Line(network)
        keys = (unit.ca_file, unit.certificate_file, unit.key_file)
        settings = LinkSettings(REGION_ADDRESS, port, "unit-1", *keys, (down_filter("unit-1"),))
        made.link = Link(settings, on_message=lambda *_: None, on_connection=made.told.put)
        within(network.region, broker.start)
        network.unit.call(made.link.start)
        made.link.hurry(True)
        made.expect(True)
        yield made
        made.link.stop()
        broker.stop()


def test_a_connection_whose_address_is_gone_is_left_at_once_for_the_next(line: Line) -> None:
    line.network.unit.move("wifi")
    line.network_changed()
    line.expect(False)
    line.expect(True)


def test_a_doubted_connection_is_left_only_if_the_broker_is_silent(line: Line) -> None:
    line.link.doubt()
    line.network_changed()
    with pytest.raises(queue.Empty):
        line.told.get(timeout=2.0)
    line.network.unit.silence()
    line.link.doubt()
    line.expect(False)
    line.network.unit.unsilence()
    line.expect(True)
