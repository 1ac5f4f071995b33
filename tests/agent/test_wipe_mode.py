"""A unit that is taken out of service: by which way it tells the region, and that systemd lets it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from agent import still_serving, wipe_mode
from agent.config import Settings
from agent.contract.unit_config import BrokerAddress, Config, WiredNetwork
from agent.wiping import Mark

MARK = Mark("cmd-1", keep_bootstrap=True, unit="unit-7", boot=3, at="2026-11-22T08:00:00+00:00")


def test_the_region_is_told_by_the_way_that_it_has_set(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path, identity_dir=tmp_path / "identity", broker_host="old.example")
    way = Config(
        broker=BrokerAddress(host="new.example", port=443, transport="alpn"),
        network=WiredNetwork(proxy="http://proxy.example:3128"),
        region_ca="-----BEGIN CERTIFICATE-----",
    )
    moved = wipe_mode.way_of(settings, replace(MARK, config=way.model_dump_json()))
    assert (moved.host, moved.port, moved.transport) == ("new.example", 443, "alpn")
    assert (moved.proxy, moved.extra_ca) == (("proxy.example", 3128), way.region_ca)
    assert wipe_mode.way_of(settings, MARK).host == "old.example"


def test_systemd_hears_of_it_as_long_as_it_lasts(monkeypatch, tmp_path) -> None:
    told, heard = [], asyncio.Event()
    settings = Settings(state_dir=tmp_path, identity_dir=tmp_path / "identity")
    monkeypatch.setenv("WATCHDOG_USEC", "25000")
    monkeypatch.setattr(still_serving, "PagesAnswer", lambda _port, _now: lambda _at, _within_s: "")
    monkeypatch.setattr(still_serving, "BEAT_S", 0)

    async def a_while() -> None:
        loop = asyncio.get_running_loop()

        def notify(state: str) -> None:
            told.append(state)
            if told.count("WATCHDOG=1") >= 2:
                loop.call_soon_threadsafe(heard.set)

        monkeypatch.setattr(still_serving.daemon, "notify", notify)
        beating = still_serving.say_alive(settings, 8400)
        await asyncio.wait_for(heard.wait(), 5)
        beating.cancel()
        await asyncio.wait([beating])

    asyncio.run(a_while())
    assert told[0] == "READY=1"
