"""Counters to figures: rates of the interval, never of the whole call, and never out of the contract's bounds."""

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from agent.contract import MAX_BODY_BYTES, Topic, decode, encode
from agent.contract.quality import MAX_PARTIES, Received
from agent.machine import MachineTotals
from agent.media.encoder import EncoderStats
from agent.media.facts import CallStats, KindStats, PeerStats
from agent.quality import Interval, Moment
from agent.session_state import Party

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
ANNA = Party("c41f", "clinician", "account", True, "i1", "connected")
NOTHING = KindStats()


def peer(attempt=1, octets=0, packets=0, lost=0, sent=0, resent=0, **changes):
    received = {"video": KindStats(packets, octets, lost, 0, 0.0062), "audio": NOTHING}
    stats = PeerStats(attempt, True, 0.048, 1_100_000, 900_000, "full", 3.0, sent, 0.012, 0, resent, received)
    return replace(stats, **changes)


def encoder(frames=0, octets=0, mean_ms=0.0, name="libx264", size=(1280, 720)):
    return EncoderStats(name, frames, 0, 0, 0, octets, 0, *size, mean_ms, 0.0)


def capture(**encoders):
    return SimpleNamespace(encoders=encoders)


def moment(at_s, peers, captured=None, machine=None):
    totals = machine or MachineTotals(at_s * 0.4, int(at_s * 50), int(at_s * 200), 158.2, None)
    return Moment(at_s, CallStats(peers, {}, 0, 0), captured or capture(), totals)


def report(before, after, parties=(ANNA,), shown=None):
    return Interval(before, after).report("k3v9q2m4x8t1", NOW, parties, shown or {})


def test_rates_are_those_of_the_interval():
    before = moment(
        10,
        {"c41f": peer(octets=10_000, packets=100, lost=50, sent=50_000, resent=3)},
        capture(full=encoder(300, 10**6, 20.0)),
    )
    after = moment(
        15,
        {"c41f": peer(octets=510_000, packets=598, lost=52, sent=675_000, resent=7)},
        capture(full=encoder(450, 1_500_000, 16.0)),
    )
    made = report(before, after)
    party, encoding = made.parties[0], made.encodings[0]
    assert made.interval_s == 5.0
    assert (party.received.bit_rate, party.received.lost, party.received.jitter_ms) == (800_000, 0.004, 6.2)
    assert (party.sent.bit_rate, party.sent.estimate, party.sent.resent) == (1_000_000, 1_100_000, 4)
    assert (party.sent.round_trip_ms, party.sent.lost) == (48.0, 0.012)
    assert (encoding.bit_rate, encoding.frame_rate) == (800_000, 30.0)
    assert encoding.encode_ms == 8.0, "150 pictures took 1200 ms, though the mean since the start says 16"
    assert (party.sent.encoder, party.sent.width, party.sent.encoding) == ("libx264", 1280, "full")
    assert (made.machine.agent_cpu, made.machine.machine_cpu, made.machine.memory_mib) == (0.4, 0.25, 158.2)


def test_a_party_is_told_with_the_encoding_that_it_gets():
    both = {"full": encoder(150, 500_000, 8.0), "small": encoder(75, 100_000, 2.0, size=(320, 180))}
    after = moment(15, {"c41f": peer(encoding="small")}, capture(**both))
    made = report(moment(10, {"c41f": peer()}), after)
    assert [encoding.name for encoding in made.encodings] == ["full", "small"]
    sent = made.parties[0].sent
    assert (sent.encoding, sent.width, sent.frame_rate, sent.encode_ms) == ("small", 320, 15.0, 2.0)


def test_a_rebuilt_connection_counts_from_nought():
    before = moment(10, {"c41f": peer(1, octets=9_000_000, sent=9_000_000)})
    after = moment(15, {"c41f": peer(2, octets=62_500, sent=125_000)})
    party = report(before, after).parties[0]
    assert (party.received.bit_rate, party.sent.bit_rate) == (100_000, 200_000)


@pytest.mark.parametrize("peers", [{}, {"c41f": peer(connected=False)}])
def test_a_party_without_a_connection_is_said_to_have_none(peers):
    party = report(moment(10, peers), moment(15, peers)).parties[0]
    assert (party.connected, party.sent, party.received) == (False, None, None)


def test_nothing_encoded_is_no_encoding_and_no_pictures():
    made = report(moment(10, {"c41f": peer()}), moment(15, {"c41f": peer()}))
    assert made.encodings == ()
    assert (made.parties[0].sent.encoding, made.parties[0].sent.frame_rate) == ("full", 0.0)


def test_what_the_touchscreen_showed_stands_with_its_party():
    shown = Received(frame_rate=24.6, freezes=1, frozen_s=0.6)
    made = report(
        moment(10, {"c41f": peer()}), moment(15, {"c41f": peer()}), shown={"c41f": shown, "other": shown}
    )
    assert [party.shown for party in made.parties] == [shown]


def test_absurd_counters_stay_within_the_contract():
    huge = peer(
        octets=10**15, packets=1, lost=-7, sent=-5, bit_rate=10**12, fraction_lost=3.0, round_trip_s=-1.0
    )
    made = report(
        moment(10, {"c41f": peer()}), moment(1e9, {"c41f": huge}, capture(full=encoder(10**9, 10**15, 1e9)))
    )
    topic = str(Topic("unit-7", "up/event/quality"))
    assert decode(topic, encode(made, now=NOW)).data == made


def test_the_largest_report_is_small():
    peers = {f"peer{n}": peer(octets=10**6, packets=900, sent=10**6) for n in range(MAX_PARTIES + 2)}
    parties = [replace(ANNA, peer=name) for name in peers]
    figures = {
        "bit_rate": 640_000,
        "frame_rate": 24.6,
        "width": 640,
        "height": 360,
        "freezes": 1,
        "frozen_s": 0.6,
    }
    seen = Received(**figures, concealed=0.004, buffer_ms=48.0, nacks=3, keyframe_requests=1)
    shown = dict.fromkeys(peers, seen)
    made = report(
        moment(10, {}),
        moment(
            15,
            peers,
            capture(
                full=encoder(150, 10**6, 9.0), small=encoder(75, 10**5, 3.0), vp8=encoder(75, 10**5, 9.0)
            ),
        ),
        parties,
        shown,
    )
    assert len(made.parties) == MAX_PARTIES
    assert len(encode(made, now=NOW)) < MAX_BODY_BYTES / 32
