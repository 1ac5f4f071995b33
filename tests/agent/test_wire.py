"""Between unit and broker: births, events, what comes twice, and what nobody should have sent."""

import logging

import pytest

from agent import room as rooms
from agent.contract.events import Ack
from agent.contract.quality import QualityReport
from agent.contract.signalling import Admit, Bye, IceServer, IceServers, Join
from agent.session_events import CheckedIn

SID = "k3v9q2m4x8t1"


def test_on_every_connect_the_unit_says_what_it_is_and_holds(ready_house):
    house = ready_house
    for _ in range(2):
        house.link.sent.clear()
        house.connect()
        channels = {message.topic.channel for message in house.link.sent}
        assert channels >= {"up/status", "up/info", "up/schedule", "up/event"}
    [report] = house.link.bodies("up/schedule")
    assert (report.rev, report.outcome) == (1, "accepted")


def test_events_are_sent_in_order_and_again_until_acknowledged(house):
    house.connect()
    house.link.sent.clear()
    house.link.refuses = 1
    for _ in range(3):
        house.unit.record("help_asked", None)
    assert [event.seq for event in house.link.bodies("up/event")] == [2, 3, 4]
    house.hear("dn/ack", Ack(epoch=house.unit.outbox.head[0], seq=3))
    house.link.sent.clear()
    house.tick(5)
    assert house.link.bodies("up/event") == []
    house.tick(6)
    assert [event.seq for event in house.link.bodies("up/event")] == [4]
    house.hear("dn/ack", Ack(epoch=1, seq=99))
    assert len(house.kinds()) == 1


@pytest.mark.parametrize("fault", ["network_cable", "network_address", "name_service", "region"])
def test_a_room_whose_line_was_away_is_tested_again_as_soon_as_there_is_one(house, fault):
    house.connect()
    house.unit.tick()
    house.unit.room_event(rooms.TestDone((fault,)))
    house.tests.clear()
    house.connect()
    assert house.tests == ["start"]
    house.unit.room_event(rooms.TestDone(("camera",)))
    house.tests.clear()
    house.connect()
    assert house.tests == []


def test_quality_figures_go_beside_the_events_and_into_no_outbox(ready_house):
    report = QualityReport(sid=SID, at=ready_house.unit.clock.now(), interval_s=5.0)
    kept = ready_house.unit.outbox.pending()
    assert ready_house.wire.quality(report) is True
    assert ready_house.link.bodies("up/event/quality") == [report]
    assert ready_house.unit.outbox.pending() == kept
    ready_house.link.up = False
    assert ready_house.wire.quality(report) is False


def test_the_same_signal_twice_or_from_a_page_that_is_gone_does_nothing(ready_house):
    house = ready_house
    house.unit.session_event(SID, CheckedIn("code"))
    house.signal(Join(instance="one", seq=0, chair=True), "aaaa")
    house.signal(Join(instance="two", seq=0, chair=True), "aaaa")
    house.signal(Admit(instance="one", seq=1), "aaaa")
    house.signal(Join(instance="one", seq=0, chair=True), "aaaa")
    assert house.state() == "waiting"
    house.signal(Admit(instance="two", seq=1), "aaaa")
    house.signal(Bye(instance="one", seq=9, end=True), "aaaa")
    assert house.state() == "admitted"


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        (
            "hr/v1/u/unit-7/dn/schedule",
            b'{"v":2,"id":"x","ts":"2026-11-22T08:00:00Z","data":{"Kanariefagel":1}}',
        ),
        (
            "hr/v1/u/unit-7/dn/cmd/cmd-0001",
            b'{"v":1,"id":"x","ts":"2026-11-22T08:00:00Z","data":{"name":"Kanariefagel"}}',
        ),
        ("hr/v1/u/unit-7/dn/call/k3v9q2m4x8t1/aaaa", b"Kanariefagel"),
        ("hr/v1/u/unit-7/dn/ack", b"Kanariefagel" * 30_000),
        ("hr/v1/u/unit-7/dn/Kanariefagel", b"{}"),
        ("hr/v1/u/unit-8/dn/ack", b'{"v":1,"id":"x","ts":"2026-11-22T08:00:00Z","data":{"epoch":1,"seq":1}}'),
        (
            "hr/v1/u/unit-7/up/status",
            b'{"v":1,"id":"x","ts":"2026-11-22T08:00:00Z","data":{"state":"lost","boot":1}}',
        ),
    ],
)
def test_what_breaks_the_contract_is_logged_without_its_payload_and_changes_nothing(
    ready_house, caplog, topic, payload
):
    before = (ready_house.unit.screen(), ready_house.unit.snapshot, ready_house.kinds())
    with caplog.at_level(logging.DEBUG):
        ready_house.wire.message(topic, payload)
    assert "refused" in caplog.text
    assert "Kanariefagel" not in caplog.text
    assert SID not in caplog.text
    assert (ready_house.unit.screen(), ready_house.unit.snapshot, ready_house.kinds()) == before


def test_a_cleared_retained_message_is_silence(house, caplog):
    with caplog.at_level(logging.DEBUG):
        house.wire.message("hr/v1/u/unit-7/dn/schedule", b"")
    assert caplog.text == ""


def test_an_older_schedule_changes_nothing(ready_house):
    ready_house.schedule(rev=0)
    assert ready_house.state() == "ready"


def test_what_the_region_clears_is_told_to_whom_it_concerns(house):
    told = []
    house.wire.on_cleared("dn/cmd", told.append)
    for text in ("u/unit-7/dn/cmd/cmd-0001", "u/unit-8/dn/cmd/cmd-0001", "u/unit-7/dn/config", "nonsense"):
        house.wire.message(f"hr/v1/{text}", b"")
    assert [str(topic) for topic in told] == ["hr/v1/u/unit-7/dn/cmd/cmd-0001"]


def test_without_the_broker_a_patient_makes_the_link_hurry(house, make_plan):
    house.schedule(make_plan())
    house.unit.session_event(SID, CheckedIn("code"))
    assert (house.link.up, house.link.in_call, house.state()) == (False, True, "waiting")


def test_states_that_the_region_hears(ready_house):
    house = ready_house
    house.unit.session_event(SID, CheckedIn("code"))
    house.wire.stopping()
    states = [status.state for status in house.link.bodies("up/status")]
    assert states == ["starting", "ready", "in_session", "stopping"]


def test_our_numbers_grow_also_when_a_session_was_forgotten_and_comes_back(ready_house, make_plan):
    house = ready_house
    house.signal(Join(**house.numbered(), chair=True), "aaaa", "stranger1234")
    house.schedule()
    house.schedule(make_plan())
    house.signal(Join(**house.numbered(), chair=True), "aaaa", "stranger1234")
    house.wire.offer(SID, "aaaa", 1, "v=0")
    house.wire.forget(SID)
    house.wire.offer(SID, "aaaa", 2, "v=0")
    said = house.link.bodies("up/call")
    assert [signal.type for signal in said] == ["bye", "bye", "offer", "offer"]
    numbers = [signal.seq for signal in said]
    assert numbers == sorted(set(numbers))


def test_servers_reach_the_media_with_a_join_and_newer_ones_without_a_rebuild(ready_house):
    house, told = ready_house, []

    class Calls:
        def use_servers(self, peer, ice_servers):
            told.append((peer, ice_servers[0].username))

    house.wire.calls = Calls()
    house.unit.session_event(SID, CheckedIn("code"))
    servers = [IceServer(urls=("turn:turn.example",), username=name) for name in ("first", "second")]
    house.signal(Join(instance="one", seq=0, chair=True, ice_servers=(servers[0],)), "aaaa")
    house.signal(Admit(instance="one", seq=1), "aaaa")
    orders = list(house.media.told)
    house.signal(IceServers(instance="one", seq=2, ice_servers=(servers[1],)), "aaaa")
    house.signal(IceServers(instance="gone", seq=9, ice_servers=(servers[1],)), "aaaa")
    assert told == [("aaaa", "first"), ("aaaa", "second")]
    assert house.media.told == orders


def test_a_later_candidate_of_ours_is_sent_to_the_party(ready_house):
    house = ready_house
    house.wire.candidate(SID, "aaaa", 3, "candidate:1 1 udp 1 192.0.2.7 49200 typ relay", "0")
    [sent] = house.link.bodies("up/call")
    assert (sent.type, sent.attempt, sent.sdp_mid) == ("candidate", 3, "0")
