"""Threads that should move and do not are known, whoever made them."""

from __future__ import annotations

import threading

import pytest

from agent.media import pulse as module
from agent.media.pulse import pulse, standing


@pytest.fixture(autouse=True)
def none_of_others(monkeypatch):
    monkeypatch.setattr(module, "_pulses", [])


def names(now, within_s=10.0):
    return [each.name for each in standing(now, within_s)]


def test_one_stands_that_has_not_moved_for_so_long_and_none_that_waits_for_work():
    now = [100.0]
    with pulse("camera", clock=lambda: now[0]) as move:
        assert (names(110.0), names(110.1)) == ([], ["camera"])
        now[0] = 105.0
        move()
        assert names(110.1) == []
        move(False)
        assert names(1000.0) == []
    assert names(1000.0) == []


def test_one_may_take_longer_than_others():
    with pulse("encoder's probe", within_s=60.0, clock=lambda: 0.0):
        assert (names(60.0), names(60.1)) == ([], ["encoder's probe"])


@pytest.mark.parametrize(("lasting", "known"), [(True, ["camera"]), (False, [])])
def test_an_error_that_ends_a_lasting_thread_is_remembered_without_its_text(lasting, known):
    def work():
        with pytest.raises(ValueError), pulse("camera", lasting=lasting):
            raise ValueError("19121212-1212")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert names(0.0) == known
    for each in standing(0.0, 10.0):
        assert each.ended_by.startswith("ValueError at ")
        assert "test_pulse.py" in each.ended_by
        assert "1912" not in each.ended_by
