"""Where the configuration says the broker is, and one link after another to it."""

from __future__ import annotations

import queue
import threading
from pathlib import Path

import pytest

from agent.broker_link import BrokerLink, link_settings
from agent.contract.unit_config import BrokerAddress, Config, WiredNetwork
from agent.link import LinkSettings

FIRST = LinkSettings(
    "localhost", 8883, "unit-7", Path("ca"), Path("cert"), Path("key"), ("hr/v1/u/unit-7/dn/#",)
)
ELSEWHERE = link_settings(
    FIRST, Config(broker=BrokerAddress(host="mqtt.example", port=443, transport="alpn"))
)


def test_nothing_set_is_the_settings_file():
    assert link_settings(FIRST, Config()) == FIRST


def test_what_the_region_sets_is_laid_over_it():
    values = Config(
        broker=BrokerAddress(host="mqtt.example", port=443, transport="websocket", path="/ws"),
        network=WiredNetwork(proxy="http://proxy.example:3128"),
        region_ca="PEM",
    )
    settings = link_settings(FIRST, values)
    assert (settings.host, settings.port, settings.transport, settings.path) == (
        "mqtt.example",
        443,
        "websocket",
        "/ws",
    )
    assert (settings.proxy, settings.extra_ca) == (("proxy.example", 3128), "PEM")
    assert (settings.client_id, settings.key_file) == (FIRST.client_id, FIRST.key_file)


class FakeLink:
    """Notes the order of what is done to all links; stopping waits until it may."""

    def __init__(self, settings, done, may_stop):
        self.settings, self.done, self.may_stop = settings, done, may_stop
        self.up = False
        self.figures = object()

    def start(self):
        self.done.put(("start", self.settings.host))

    def stop(self):
        self.may_stop.wait(5)
        self.done.put(("stop", self.settings.host))

    def hurry(self, in_call):
        self.in_call = in_call


@pytest.fixture
def done():
    return queue.Queue()


@pytest.fixture
def may_stop():
    event = threading.Event()
    event.set()
    return event


@pytest.fixture
def broker_link(done, may_stop):
    return BrokerLink(FIRST, lambda settings: FakeLink(settings, done, may_stop))


def test_the_old_link_is_ended_before_the_new_one_begins(broker_link, done):
    broker_link.start()
    broker_link.use(ELSEWHERE)
    assert [done.get(timeout=5) for _ in range(3)] == [
        ("start", "localhost"),
        ("stop", "localhost"),
        ("start", "mqtt.example"),
    ]
    broker_link.use(ELSEWHERE)
    broker_link.stop()
    assert done.get(timeout=5) == ("stop", "mqtt.example")
    assert done.empty()


def test_before_the_start_nothing_is_started(broker_link, done):
    broker_link.use(ELSEWHERE)
    assert done.empty()
    broker_link.start()
    assert done.get(timeout=5) == ("start", "mqtt.example")


def test_changed_twice_while_the_first_link_ends_only_the_last_begins(broker_link, done, may_stop):
    broker_link.start()
    may_stop.clear()
    broker_link.use(ELSEWHERE)
    broker_link.use(FIRST)
    may_stop.set()
    seen = [done.get(timeout=5) for _ in range(4)]
    assert seen.count(("start", "mqtt.example")) == 0
    assert seen[-1] == ("start", "localhost")


def test_anew_is_a_connection_of_its_own(broker_link, done):
    broker_link.start()
    broker_link.use(FIRST, anew=True)
    assert [done.get(timeout=5)[0] for _ in range(3)] == ["start", "stop", "start"]


def test_the_figures_are_of_all_links_since_the_start(broker_link):
    figures = broker_link.figures
    broker_link.use(ELSEWHERE)
    assert broker_link.figures is figures


def test_settings_that_cannot_be_used_leave_the_link_as_it_is():
    def make(settings):
        if settings.extra_ca:
            raise OSError("no certificate")
        return FakeLink(settings, None, None)

    broker_link = BrokerLink(FIRST, make)
    with pytest.raises(OSError, match="no certificate"):
        broker_link.use(link_settings(FIRST, Config(region_ca="broken")))
    assert broker_link.settings == FIRST
