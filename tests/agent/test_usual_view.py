"""What is usual is learnt from looks that agree, follows slowly, and is forgotten when staff say so."""

from __future__ import annotations

import json
import sqlite3

from agent.store import Store
from agent.usual_view import STORE_KEY, UsualView

ONE = tuple(range(-16, 16)) * 2
OTHER = tuple(reversed(ONE))


def test_two_looks_that_agree_make_it_usual_and_a_restart_keeps_it(tmp_path):
    store = Store(tmp_path / "unit.db")
    usual = UsualView(store)
    usual.learn(ONE)
    assert usual.numbers is None
    usual.learn(OTHER)
    assert usual.numbers is None
    usual.learn(OTHER)
    assert usual.numbers == OTHER
    assert UsualView(store).numbers == OTHER
    kept = json.loads(store.get(STORE_KEY))
    assert set(kept) == {"numbers", "looks"} and len(kept["numbers"]) == 64
    usual.forget()
    assert UsualView(store).numbers is None


def test_it_follows_slowly(tmp_path):
    usual = UsualView(Store(tmp_path / "unit.db"))
    for _ in range(3):
        usual.learn(ONE)
    nearly = (ONE[0] + 5, *ONE[1:])
    usual.learn(nearly)
    assert usual.numbers is not None and usual.numbers[0] == ONE[0] + 1


def test_what_nobody_can_read_is_begun_anew(tmp_path):
    store = Store(tmp_path / "unit.db")
    store.put(STORE_KEY, b'{"numbers": [1], "looks": 3}')
    assert UsualView(store).numbers is None


def test_a_disk_that_is_full_is_no_fault_of_the_camera(caplog):
    class Full(Store):
        def put(self, key, value):
            raise sqlite3.OperationalError("database or disk is full")

    usual = UsualView(Full(None))
    usual.learn(ONE)
    usual.learn(ONE)
    assert usual.numbers == ONE, "until the agent ends"
    usual.forget()
    assert usual.numbers is None
    assert "OperationalError" in caplog.text
