"""A unit that tests its line gets servers with credentials for minutes; other intents are others' to answer."""

import logging
from pathlib import Path
from typing import Any

import pytest

from agent.contract import Topic, encode
from agent.contract.events import Intent
from provisioning.ice_requests import GOOD_FOR_S, KIND
from provisioning.region import Region
from provisioning.settings import BrokerSettings, RegionSettings, TurnSettings

URL = "turn:turn.region.example:3478"


def region_with(
    turn: TurnSettings | None, tmp_path: Path, database: Any, clock: Any, wire: Any, monkeypatch: Any
) -> Region:
    broker = BrokerSettings(ca_file=tmp_path, certificate_file=tmp_path, key_file=tmp_path)
    monkeypatch.setattr("provisioning.region.Database", lambda url: {"url:": database}[url])
    settings = RegionSettings(database_url="url:", state_dir=tmp_path, broker=broker, turn=turn)
    return Region(settings, clock=clock, make_link=lambda *_, **__: wire.link())


def ask(region: Region, wire: Any, kind: str = KIND) -> list[Any]:
    topic = str(Topic("unit-1", "up/intent", (kind,)))
    region.inbox.handle(topic, encode(Intent(id="q1"), now=region.clock()))
    return [(each.topic, each.data) for each in wire.take("dn/notice") if each.topic.levels == (KIND,)]


def test_who_asks_gets_credentials_for_a_few_minutes_and_no_log_tells_them(
    tmp_path: Path, database: Any, clock: Any, wire: Any, monkeypatch: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = tmp_path / "turn.secret"
    secret.write_text("a secret of the region\n")
    turn = TurnSettings(urls=(URL,), secret_file=secret)
    region = region_with(turn, tmp_path, database, clock, wire, monkeypatch)
    [(topic, notice)] = ask(region, wire)
    assert (topic.unit, notice.id, notice.ok) == ("unit-1", "q1", True)
    [server] = notice.ice_servers
    assert server.urls == (URL,)
    assert (
        int(server.username.split(":")[0])
        == int(clock.now.timestamp()) + GOOD_FOR_S
        < turn.lifetime_s + int(clock.now.timestamp())
    )
    told = caplog.text + repr(notice)
    assert server.credential not in told and server.username not in told and URL not in told
    assert ask(region, wire, "overrun") == []
    region.stop()


def test_a_region_without_servers_says_so(
    tmp_path: Path, database: Any, clock: Any, wire: Any, monkeypatch: Any
) -> None:
    region = region_with(None, tmp_path, database, clock, wire, monkeypatch)
    [(_topic, notice)] = ask(region, wire)
    assert notice.ice_servers == ()
    region.stop()
