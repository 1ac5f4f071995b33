"""How long pictures are held back, by loss and round trip."""

from __future__ import annotations

from agent.media.playout_delay import CALM_S, MAX_MS, NOTICED_MS, PlayoutDelay


def test_a_line_without_loss_holds_nothing_back() -> None:
    delay = PlayoutDelay()
    assert [delay.update(0.0, 0.3, now) for now in (0.0, 1.0, 60.0)] == [0, 0, 0]


def test_loss_holds_back_for_as_long_as_a_repeat_takes_at_once() -> None:
    delay = PlayoutDelay()
    held_ms = delay.update(0.05, 0.06, 10.0)
    assert 60 + NOTICED_MS - 10 <= held_ms <= 60 + NOTICED_MS + 10
    assert delay.update(0.05, 0.15, 10.5) > held_ms
    assert delay.update(0.05, 2.0, 11.0) == MAX_MS


def test_it_ends_only_after_a_calm_while() -> None:
    delay = PlayoutDelay()
    held_ms = delay.update(0.02, 0.05, 0.0)
    assert delay.update(0.0, 0.05, 1.0) == held_ms
    assert delay.update(0.02, 0.05, CALM_S) == held_ms  # loss again: the calm begins anew
    assert delay.update(0.0, 0.05, CALM_S + 1) == held_ms
    assert delay.update(0.0, 0.05, 2 * CALM_S) == held_ms
    assert delay.update(0.0, 0.05, 2 * CALM_S + 1) == 0
