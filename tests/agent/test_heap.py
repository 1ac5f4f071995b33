from __future__ import annotations

import ctypes

import pytest

from agent import heap


def test_both_calls_are_harmless_here() -> None:
    heap.use_one_arena()
    heap.give_back()


def test_a_c_library_without_them_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: object())
    heap.use_one_arena()
    heap.give_back()
