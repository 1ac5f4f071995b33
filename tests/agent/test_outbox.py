"""The chain of facts: it holds together, and shows when somebody has been at it."""

import base64
import sqlite3
from datetime import UTC, datetime

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from agent.contract.events import GENESIS, event_hash
from agent.identity import Identity
from agent.outbox import BATCH, Outbox
from agent.store import Store

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
KEY = ec.generate_private_key(ec.SECP256R1())
SIGN = Identity("unit-7", "ab" * 32, NOW, KEY).sign


def verify(events):
    """What the region does: raises when a link, a hash or a signature does not fit."""
    prev = GENESIS
    for event in events:
        content = event.model_dump(include={"epoch", "seq", "kind", "sid", "fields"})
        digest = event_hash(**content, prev=prev, at=event.at.isoformat())
        if (event.prev, event.hash) != (prev, digest):
            raise ValueError("broken chain")
        algorithm = ec.ECDSA(utils.Prehashed(hashes.SHA256()))
        KEY.public_key().verify(base64.b64decode(event.signature), bytes.fromhex(digest), algorithm)
        prev = digest


@pytest.fixture
def outbox(tmp_path):
    return Outbox(Store(tmp_path / "unit.db"), SIGN, NOW)


def test_the_chain_verifies_and_a_restart_continues_it(tmp_path):
    first = Outbox(Store(tmp_path / "unit.db"), SIGN, NOW)
    first.add("unit_started", NOW, fields={"boot": 1, "share": 1.0, "ok": True})
    again = Outbox(Store(tmp_path / "unit.db"), SIGN, NOW)
    again.add("checked_in", NOW.replace(microsecond=5), "k3v9q2m4x8t1", {"how": "code"})
    events = again.pending()
    verify(events)
    assert [event.seq for event in events] == [1, 2]
    assert {event.epoch for event in events} == {int(NOW.timestamp())}


@pytest.mark.parametrize(
    "change",
    [
        {"sid": None},
        {"fields": {"how": "staff"}},
        {"at": NOW.replace(hour=9)},
        {"kind": "admitted"},
        {"seq": 3},
    ],
)
def test_a_change_or_a_gap_shows(outbox, change):
    for how in ("code", "qr", "staff"):
        outbox.add("checked_in", NOW, "k3v9q2m4x8t1", {"how": how})
    first, second, third = outbox.pending()
    with pytest.raises(ValueError, match="broken"):
        verify([first, second.model_copy(update=change), third])
    with pytest.raises(ValueError, match="broken"):
        verify([first, third])


def test_another_units_signature_shows(outbox):
    event = outbox.add("unit_started", NOW)
    other = Identity("unit-8", "ab" * 32, NOW, ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(InvalidSignature):
        verify([event.model_copy(update={"signature": other.sign(event.hash)})])


def test_only_what_is_acknowledged_is_forgotten_and_nobody_acknowledges_the_future(outbox):
    for _ in range(3):
        outbox.add("help_asked", NOW)
    epoch, _ = outbox.head
    outbox.acknowledge(epoch, 9)
    assert len(outbox.pending()) == 3
    outbox.acknowledge(epoch, 2)
    outbox.acknowledge(epoch, 1)
    assert [event.seq for event in outbox.pending()] == [3]


def test_what_the_region_would_not_hear_moves_to_a_chain_that_it_takes(tmp_path):
    """It keeps a later chain: the clock was a year ahead when that began, or this disk was away meanwhile."""
    store = Store(tmp_path / "unit.db")
    outbox = Outbox(store, SIGN, NOW)
    for how in ("code", "qr"):
        outbox.add("checked_in", NOW, "k3v9q2m4x8t1", {"how": how})
    later = int(NOW.timestamp()) + 31_536_000
    outbox.acknowledge(later, 7)
    events = outbox.pending()
    verify(events)
    assert [(event.epoch, event.seq, event.fields) for event in events] == [
        (later + 1, 1, {"how": "code"}),
        (later + 1, 2, {"how": "qr"}),
    ]
    outbox.acknowledge(later, 7)  # said once more before it has heard
    assert outbox.pending() == events
    outbox.acknowledge(later + 1, 2)
    assert outbox.pending() == []
    assert Outbox(store, SIGN, NOW).head == (later + 1, 2)


def test_a_disk_that_is_full_when_the_chain_moves_changes_nothing(outbox, monkeypatch):
    outbox.add("help_asked", NOW)
    before, head = outbox.pending(), outbox.head

    def full(*_):
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch, pytest.raises(sqlite3.OperationalError):
        patch.setattr(Store, "append", full)
        outbox.acknowledge(head[0] + 1, 1)
    assert (outbox.pending(), outbox.head) == (before, head)


def test_silence_in_decibels_and_a_long_reason_do_not_stop_the_queue(outbox):
    outbox.add("selftest", NOW, fields={"microphone": float("-inf"), "camera": "x" * 500})
    [event] = outbox.pending()
    verify([event])
    assert event.fields["microphone"] == "-inf"


def test_a_batch_is_limited(outbox):
    for _ in range(BATCH + 1):
        outbox.add("help_asked", NOW)
    assert len(outbox.pending()) == BATCH
