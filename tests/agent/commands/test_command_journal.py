"""What the journal keeps, what it forgets, and that nothing it forgot can come again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from agent.commands import journal as journals
from agent.commands.journal import KEPT, VALID_AT_MOST, CommandJournal
from agent.commands.life import Entry, State
from agent.store import Store

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "unit.db")
    yield store
    store.close()


def entry(number, age=timedelta(0), state=State.SUCCEEDED):
    issued = NOW - age
    return Entry(
        f"cmd-{number}",
        "show-message",
        issued,
        issued + timedelta(hours=1),
        arguments={"text": "Kanarie"},
        state=state,
    )


def test_of_what_is_over_the_arguments_are_gone_from_the_disk(store, tmp_path):
    journal = CommandJournal(store)
    journal.put(entry(1, state=State.ACCEPTED))
    assert journal.get("cmd-1").arguments == {"text": "Kanarie"}
    journal.put(entry(1))
    assert journal.get("cmd-1").arguments == {}
    on_disk = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"Kanarie" not in on_disk


def test_what_is_told_is_remembered_until_no_valid_command_can_be_mistaken_for_it(store):
    journal = CommandJournal(store)
    journal.raise_fence(NOW - KEPT - timedelta(days=1))
    journal.put(entry(1, KEPT - timedelta(hours=1)))
    journal.put(entry(2, KEPT + timedelta(hours=1)))
    journal.put(entry(3, KEPT + timedelta(hours=1)))
    for number in (1, 2):
        journal.told(f"cmd-{number}")
    journal.forget_old(NOW)
    assert [bool(journal.get(f"cmd-{number}")) for number in (1, 2, 3)] == [True, False, True]
    assert journal.fence == NOW - KEPT - timedelta(hours=1)  # what was forgotten lies before it
    assert journal.fence < NOW - VALID_AT_MOST  # and nothing valid does
    assert CommandJournal(store).fence == journal.fence


def test_too_many_are_forgotten_only_behind_the_fence(store, monkeypatch):
    monkeypatch.setattr(journals, "ENTRIES_AT_MOST", 3)
    journal = CommandJournal(store)
    for number in range(6):
        journal.put(entry(number, timedelta(minutes=10 - number)))
        journal.told(f"cmd-{number}")
    journal.forget_old(NOW)
    left = [number for number in range(6) if journal.get(f"cmd-{number}")]
    assert left == [3, 4, 5]
    assert journal.fence == NOW - timedelta(minutes=8)


def test_open_ones_come_back_in_the_order_they_came(store):
    journal = CommandJournal(store)
    for number in (3, 1, 2):
        journal.put(entry(number, state=State.ACCEPTED))
    journal.put(entry(3))
    assert [each.id for each in CommandJournal(store).open()] == ["cmd-3", "cmd-1", "cmd-2"]
