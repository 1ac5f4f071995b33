"""What the unit keeps survives a kill, and what it forgets is gone from the disk."""

import sqlite3

import pytest

from agent.store import Store

CANARY = b"Kanariefagel"


def on_disk(path):
    return b"".join(file.read_bytes() for file in path.parent.iterdir())


def test_what_was_written_is_there_after_a_kill(tmp_path):
    path = tmp_path / "unit.db"
    killed = Store(path)
    killed.put("boot", b"3")
    killed.put_session("k3v9q2m4", b"{}")
    killed.append(1, 1, b"event", b"head")
    again = Store(path)  # the first was never closed
    assert (again.get("boot"), again.sessions(), again.pending(9)) == (
        b"3",
        [("k3v9q2m4", b"{}")],
        [b"event"],
    )
    again.close()


def test_a_transaction_is_whole_or_not_at_all(tmp_path):
    store = Store(tmp_path / "unit.db")
    with pytest.raises(RuntimeError), store.transaction():
        store.put_session("k3v9q2m4", b"{}")
        store.append(1, 1, b"event", b"head")
        raise RuntimeError
    assert (store.sessions(), store.pending(9), store.get("head")) == ([], [], None)
    store.put("next", b"works")
    assert store.get("next") == b"works"


def test_nothing_of_a_finished_session_is_left_on_disk(tmp_path):
    store = Store(tmp_path / "unit.db")
    for number in range(20):
        store.put_session("k3v9q2m4", CANARY * number)
        store.append(1, number, CANARY, b"head")
    store.put("snapshot", CANARY * 100)
    assert CANARY in on_disk(tmp_path / "unit.db")
    store.put("snapshot", b"")
    store.finish("k3v9q2m4", "2026-11-22")
    store.acknowledged(1, 19)
    assert CANARY not in on_disk(tmp_path / "unit.db")
    assert b"k3v9q2m4" not in on_disk(tmp_path / "unit.db")
    assert store.is_finished("k3v9q2m4")


@pytest.mark.parametrize("damage", [CANARY * 99, None])
def test_a_broken_file_is_removed_and_begun_anew(tmp_path, damage):
    path = tmp_path / "unit.db"
    store = Store(path)
    for number in range(50):
        store.put_session(f"session{number}", bytes(500))
    store.close()
    whole = path.read_bytes()
    path.write_bytes(damage or whole[:4096] + b"\xff" * (len(whole) - 4096))
    again = Store(path)
    assert again.sessions() == []
    assert [file.name for file in tmp_path.iterdir() if CANARY in file.read_bytes()] == []
    again.close()


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "unit.db").mkdir()
    with pytest.raises((sqlite3.OperationalError, OSError)):
        Store(tmp_path / "unit.db")


def test_only_so_many_digests_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr("agent.store.DONE_KEPT", 3)
    store = Store(tmp_path / "unit.db")
    for number in range(5):
        store.mark_done(f"session{number}", "2026-11-22")
    assert [store.is_finished(f"session{number}") for number in range(5)] == [False, False, True, True, True]
