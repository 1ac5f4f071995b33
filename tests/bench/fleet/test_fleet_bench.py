"""The fleet's bench: its packets, what its units keep, and its table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from agent.contract import Topic, decode, encode
from agent.contract.schedule import Schedule
from tests.bench.fleet import packets
from tests.bench.fleet.phases import quantile
from tests.bench.fleet.played_unit import PlayedUnit
from tests.bench.fleet.table import growth, medians, verdicts

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize("size", [0, 100, 200, 20_000])
def test_what_is_published_is_read_again_however_it_is_cut(size: int) -> None:
    whole = packets.publish("hr/v1/u/unit-1/dn/ack", b"x" * size, 77, expiry_s=30) + packets.PING
    buffer, came = bytearray(), []
    for first in range(0, len(whole), 7):
        buffer += whole[first : first + 7]
        came += list(packets.take(buffer))
    assert [packet.kind for packet in came] == [packets.PUBLISH, 12]
    assert packets.published(came[0]) == ("hr/v1/u/unit-1/dn/ack", b"x" * size, 77)
    assert not buffer


def test_connect_takes_up_the_session_and_leaves_a_will() -> None:
    packet = next(packets.take(bytearray(packets.connect("unit-1", 20, 3600, 1000, ("t", b"w")))))
    assert packet.body[:7] == b"\x00\x04MQTT\x05"
    assert packet.body[7] == 0b00101100  # retained will with QoS 1, no clean start
    assert packet.body.endswith(b"\x00\x06unit-1\x00\x00\x01t\x00\x01w")


def test_a_played_unit_keeps_the_newest_and_says_which() -> None:
    said: list[str] = []
    unit = PlayedUnit("unit-1", "00" * 32)
    for rev in (2, 1, 2, 3):
        body = Schedule(epoch=1, valid_until=NOW + timedelta(days=7), salt="0" * 32, sessions=())
        topic = str(Topic("unit-1", "dn/schedule"))
        unit.heard(
            lambda t, p, *_: said.append(str(decode(t, p).data.rev)), topic, encode(body, now=NOW, rev=rev)
        )
        assert unit.seen.served == (1, rev)
    assert said == ["2", "3"]


def test_a_figure_that_was_not_reached_once_has_no_median() -> None:
    runs = [
        {"units": units, "round": number, "figures": {"loss_s": value}, "costs": {}}
        for number, values in enumerate(((30.0, 40.0), (32.0, None)))
        for units, value in zip((250, 2000), values, strict=True)
    ]
    assert medians(runs) == {"250": {"loss_s": 31.0}, "2000": {"loss_s": None}}
    assert [(line["what"], line["reached"]) for line in verdicts(runs)] == [("loss_s", False)]
    assert growth(["250", "2000"], [2.0, 20.0]) == "x10.0 for x8"
    assert quantile([3.0, 1.0, 2.0], 0.5) == 2.0
