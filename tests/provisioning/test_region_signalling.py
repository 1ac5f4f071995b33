"""Between open pages and units: who is told what, and when."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agent.contract.signalling import (
    Admit,
    Answer,
    Bye,
    Candidate,
    IceServers,
    Join,
    Reject,
    RemoteCheckIn,
)
from provisioning.feeds import CHANGED, PageFeed, WatchFeeds
from provisioning.ice import IceConfiguration
from provisioning.settings import TurnSettings
from tests.provisioning.meeting_table import DOCTOR, NURSE, SID, Table, following, offer, told
from web.clinic.services import Refused


@pytest.fixture
def table(wire: Any, clock: Any) -> Table:
    return Table(wire, clock)


def test_opening_joins_with_role_and_a_name_that_tells_nothing(table: Table) -> None:
    table.open()
    table.open(NURSE)
    (doctor, nurse) = table.wire.take("dn/call")
    assert (doctor.data.role, doctor.data.chair, doctor.data.identified) == ("clinician", True, "account")
    assert (nurse.data.role, nurse.data.chair) == ("staff", False)
    peers = {doctor.topic.levels[1], nurse.topic.levels[1]}
    assert len(peers) == 2
    assert all(len(peer) >= 12 and "acc" not in peer for peer in peers)
    assert table.signalling.parties(SID) == ("clinician", "staff")


def test_a_call_is_relayed_both_ways_with_numbers_that_grow(table: Table) -> None:
    feed = table.open()
    peer = table.wire.sent[-1][0].levels[1]
    table.signalling.from_unit("unit-1", SID, peer, offer())
    assert following(feed) == {
        "type": "offer",
        "attempt": 1,
        "sdp": "v=0",
        "ice_servers": [],
        "ice_transport_policy": "all",
    }
    table.say("admit")
    table.say("answer", attempt=1, sdp="v=0 answer")
    table.say("candidate", attempt=1, candidate="candidate:1", sdp_mid="0", sdp_m_line_index=0)
    sent = table.said()
    assert [type(signal) for signal in sent] == [Join, Admit, Answer, Candidate]
    numbers = [signal.seq for signal in sent]
    assert numbers == sorted(set(numbers))
    assert {signal.instance for signal in sent} == {"page-one"}
    candidate = Candidate(instance="boot-1", seq=1, attempt=1, candidate="candidate:2")
    table.signalling.from_unit("unit-1", SID, peer, candidate)
    assert told(feed) == ["candidate"]
    assert table.notes == [("party_opened", "acc1"), ("admit_asked", "acc1")]


def test_an_offer_that_is_not_answered_is_told_again_to_a_page_whose_line_was_dead(table: Table) -> None:
    peer = table.peer()
    candidate = Candidate(instance="boot-1", seq=1, attempt=1, candidate="candidate:2")
    for signal in (offer(), candidate):
        table.signalling.from_unit("unit-1", SID, peer, signal)
    assert told(table.open()) == ["offer", "candidate"]
    table.say("answer", attempt=1, sdp="v=0 answer")
    assert told(table.open()) == []
    table.signalling.from_unit("unit-1", SID, peer, offer(seq=2))
    table.clock.pass_by(seconds=31)
    assert told(table.open()) == []
    table.signalling.from_unit("unit-1", SID, peer, offer(seq=3))
    assert told(table.open(instance="page-two")) == []


def test_what_comes_twice_or_from_another_unit_or_for_nobody_is_dropped(table: Table) -> None:
    feed = table.open()
    peer = table.peers()[0]
    for seq in (5, 5, 4):
        table.signalling.from_unit("unit-1", SID, peer, offer(seq))
    table.signalling.from_unit("unit-2", SID, peer, offer(9))
    table.signalling.from_unit("unit-1", "anothersession", peer, offer(9))
    table.signalling.from_unit("unit-1", SID, "nobodyatall1", offer(9))
    assert told(feed) == ["offer"]
    table.signalling.from_unit("unit-1", SID, peer, offer(0, "boot-2"))
    assert told(feed) == ["offer"]


def test_a_second_window_of_the_same_account_replaces_the_first_for_good(table: Table) -> None:
    first = table.open()
    second = table.open(instance="page-two")
    assert told(first) == ["replaced", "END"]
    with pytest.raises(Refused, match="another window"):
        table.say("admit")
    assert told(table.open()) == ["replaced", "END"]  # the first window's feed connects again by itself
    table.say("admit", instance="page-two")
    joins = [signal for signal in table.said() if isinstance(signal, Join)]
    assert [join.instance for join in joins] == ["page-one", "page-two"]
    assert told(second) == []


def test_a_reload_within_the_grace_is_no_good_bye_and_a_lost_page_is(table: Table) -> None:
    first = table.open()
    first.close()
    table.clock.pass_by(seconds=19)
    table.signalling.tick()
    second = table.open(instance="page-two")
    first.close()
    table.clock.pass_by(seconds=60)
    table.signalling.tick()
    assert [type(signal) for signal in table.said()] == [Join, Join]

    second.close()
    table.clock.pass_by(seconds=20)
    table.signalling.tick()
    table.signalling.tick()
    (bye,) = table.said()
    assert (bye.reason, bye.end) == ("lost", False)
    assert table.signalling.parties(SID) == ()


@pytest.mark.parametrize(("kind", "reason", "end"), [("leave", "left", False), ("end", "ended", True)])
def test_leaving_and_ending_are_said_at_once_and_only_once(
    table: Table, kind: str, reason: str, end: bool
) -> None:
    feed = table.open()
    table.said()
    table.say(kind)
    feed.close()
    table.clock.pass_by(seconds=60)
    table.signalling.tick()
    (bye,) = table.said()
    assert (bye.reason, bye.end) == (reason, end)


def test_only_the_chair_admits_and_ends(table: Table) -> None:
    table.open(NURSE)
    table.said()
    for kind in ("admit", "end"):
        with pytest.raises(Refused):
            table.say(kind, NURSE)
    assert table.said() == []


@pytest.mark.parametrize(
    "message",
    [
        {"type": "offer", "sdp": "v=0"},
        {"type": "answer", "attempt": 1},
        {"type": "answer", "attempt": "1", "sdp": "v=0"},
        {"type": "answer", "attempt": 1, "sdp": "x" * 70_000},
        {"type": "candidate", "attempt": -1, "candidate": ""},
        {},
    ],
)
def test_a_bad_signal_is_refused_and_not_passed_on(table: Table, message: dict[str, Any]) -> None:
    table.open()
    table.said()
    with pytest.raises(Refused):
        table.signalling.signal(DOCTOR, SID, "page-one", message)
    assert table.said() == []


def test_resync_is_a_new_instance_to_the_unit(table: Table) -> None:
    table.open()
    table.say("resync")
    table.say("answer", attempt=2, sdp="v=0")
    first, again, answer = (signal.instance for signal in table.said())
    assert first != again == answer


def test_what_a_page_asks_for_after_a_restart_of_the_region_is_new_to_the_unit_too(table: Table) -> None:
    table.open()
    table.say("resync")
    asked = table.said()[-1].instance
    table.clock.pass_by(seconds=1)
    table.restarted()
    table.open()
    table.say("resync")
    assert table.said()[-1].instance != asked


def test_after_a_restart_of_the_region_the_same_page_joins_again_with_higher_numbers(table: Table) -> None:
    table.open()
    (before,) = table.wire.take("dn/call")
    table.clock.pass_by(seconds=1)
    table.restarted()
    table.open()
    (after,) = table.wire.take("dn/call")
    assert after.topic == before.topic
    assert after.data.instance == before.data.instance
    assert after.data.seq > before.data.seq


def test_a_unit_that_may_resume_is_told_so_and_who_is_there(table: Table) -> None:
    table.open()
    table.said()
    ask = Join(instance="boot-2", seq=0, resume=True)
    table.signalling.from_unit("unit-1", SID, "unit", ask)
    table.signalling.from_unit("unit-1", SID, "unit", ask)
    confirmed, joined = table.wire.take("dn/call")
    assert (confirmed.topic.levels[1], type(confirmed.data)) == ("unit", Admit)
    assert type(joined.data) is Join


def test_a_unit_that_may_not_resume_is_told_why(table: Table) -> None:
    table.facts.refusal = "the session has ended"
    table.open()
    table.said()
    table.signalling.from_unit("unit-1", SID, "unit", Join(instance="boot-2", seq=0, resume=True))
    (rejected,) = table.said()
    assert isinstance(rejected, Reject)
    assert rejected.reason == "the session has ended"


def test_a_unit_that_is_back_hears_of_every_open_page_but_no_other_unit_does(table: Table) -> None:
    table.open()
    closed = table.open(NURSE)
    closed.close()
    table.said()
    table.signalling.unit_is_back("unit-2")
    assert table.said() == []
    table.signalling.unit_is_back("unit-1")
    assert [signal.role for signal in table.said()] == ["clinician"]


def test_what_the_broker_missed_is_sent_when_it_is_back_unless_too_old(table: Table) -> None:
    table.open()
    table.open(NURSE)
    table.said()
    table.wire.up = False
    table.say("admit")
    table.clock.pass_by(seconds=20)
    table.say("leave", NURSE)
    table.clock.pass_by(seconds=15)
    table.wire.up = True
    table.signalling.link_is_up()
    assert [type(signal) for signal in table.said()] == [Bye, Join]


def test_the_units_good_bye_reaches_the_page_and_it_is_not_joined_again(table: Table) -> None:
    feed = table.open()
    peer = table.peers()[0]
    table.signalling.from_unit("unit-1", SID, peer, Bye(instance="boot-1", seq=0, reason="lost"))
    table.signalling.unit_is_back("unit-1")
    assert [type(signal) for signal in table.said()] == [Join]
    table.signalling.from_unit("unit-1", SID, "unit", Bye(instance="boot-1", seq=1, reason="ended"))
    table.signalling.unit_is_back("unit-1")
    assert table.said() == []
    assert told(feed) == ["bye", "bye"]


def test_a_page_opened_after_the_end_hears_of_it_and_joins_nothing(table: Table) -> None:
    table.facts.over = True
    assert told(table.open()) == ["bye"]
    assert table.said() == []


def test_remote_check_in_goes_to_the_session(table: Table) -> None:
    table.signalling.check_in(SID)
    (message,) = table.wire.take("dn/call")
    assert (message.topic.levels, type(message.data)) == ((SID, "unit"), RemoteCheckIn)


def test_a_slow_page_is_dropped_and_blocks_nobody() -> None:
    feed = PageFeed(lambda _: None, length=3)
    for number in range(10):
        feed.put({"type": "offer", "number": number})
    assert not feed.open
    assert told(feed) == ["END"]


def test_a_day_that_changed_twice_before_anyone_looked_changed_once() -> None:
    watchers = WatchFeeds()
    feed = watchers.open()
    watchers.changed()
    watchers.changed()
    assert (feed.get(0), feed.get(0)) == (CHANGED, None)
    feed.close()
    watchers.changed()
    watchers.end()
    assert told(feed) == ["END"]


def test_turn_credentials_are_fresh_for_every_join_and_offer_and_renewed_in_a_long_call(
    wire: Any, clock: Any, tmp_path: Path
) -> None:
    secret = tmp_path / "turn.secret"
    secret.write_text("a secret of the region")
    turn = TurnSettings(urls=("turn:turn.example",), secret_file=secret, lifetime_s=3600)
    table = Table(wire, clock, ice=IceConfiguration([], turn), ice_transport_policy="relay")
    feed = table.open()
    [join] = wire.take("dn/call")
    peer = join.topic.levels[1]
    [given] = join.data.ice_servers
    table.signalling.from_unit("unit-1", SID, peer, offer())
    message = following(feed)
    assert message["ice_transport_policy"] == "relay"
    assert message["ice_servers"][0]["username"] not in ("", given.username)
    clock.pass_by(minutes=29)
    table.signalling.tick()
    assert table.said() == []
    clock.pass_by(minutes=1)
    table.signalling.tick()
    table.signalling.tick()
    [renewed] = table.said()
    assert isinstance(renewed, IceServers)
    assert renewed.seq > join.data.seq and renewed.instance == join.data.instance
    expires = [int(each.username.split(":")[0]) for each in (*renewed.ice_servers, given)]
    assert expires[0] - expires[1] == 30 * 60
    feed.close()
    clock.pass_by(minutes=40)
    table.signalling.tick()
    assert not [signal for signal in table.said() if isinstance(signal, IceServers)], "nobody is there"
