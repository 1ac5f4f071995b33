"""The path from cause to consequence, and when the line is measured, which costs data."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from agent.media.line_figures import LineFigures
from agent.probes import line
from agent.probes.line import AGAIN_AFTER_S, NARROW_BIT_RATE, LineProbe, in_words, judge
from agent.probes.path import Path
from agent.selftest import Context
from agent.verdict import found, well

GOOD = LineFigures(0.0, 2_480_000.0, False, 21.0, 0.4)
LOSSY = LineFigures(0.08, 2_200_000.0, False, 21.0, 0.4)


class Part:
    """A Probe that says what it is given, one after the other."""

    def __init__(self, name, *words):
        self.name, self._words, self.runs = name, list(words), 0

    async def run(self, context):
        self.runs += 1
        return self._words.pop(0) if len(self._words) > 1 else self._words[0]


def run(path, context=None):
    return asyncio.run(path.run(context or Context()))


CABLE = found("network_cable", reason="no carrier")
PARTLY = found("turn_partly", reason="one is closed")


def test_after_a_fault_nothing_further_is_tried_and_nothing_old_of_it_is_told():
    network, turn = Part("network", [well("network")], [CABLE]), Part("turn", [PARTLY])
    path = Path([network, turn])
    assert (run(path), path.is_open) == ([well("network"), PARTLY], True)
    assert (run(path), path.is_open, turn.runs) == ([CABLE], False, 1)


def test_a_warning_stops_nothing_and_a_part_that_was_not_tried_keeps_its_word():
    slow = found("region_slow", 900.0, "ms", reason="slow")
    path = Path([Part("region", [slow]), Part("turn", [PARTLY], None)])
    assert (run(path), run(path), path.is_open) == ([slow, PARTLY], [slow, PARTLY], True)


def test_a_path_that_was_stopped_says_nothing():
    context = Context()
    context.stopped.set()
    path = Path([Part("network", [CABLE]), Part("turn", [PARTLY])])
    assert (run(path, context), path.is_open) == (None, False)


@pytest.mark.parametrize(
    ("figures", "instructions", "figure", "unit"),
    [
        (GOOD, [""] * 3, 2.48, "Mbit/s"),
        (LineFigures(0.01, None, False, 5.0, 0.1), [""] * 2, 1.0, "% lost"),
        (LOSSY, ["line_loss"], 8.0, "% lost"),
        (LineFigures(0.05, None, False, 5.0, 0.1), ["line_loss"], 5.0, "% lost"),
        (LineFigures(0.0, 500_000.0, True, 5.0, 0.1), ["line_narrow"], 0.5, "Mbit/s"),
        (LineFigures(None, 500_000.0, True, 5.0, 0.1), ["line_narrow"], 0.5, "Mbit/s"),
        (LineFigures(0.08, 700_000.0, True, 5.0, 0.1), ["line_narrow", "line_loss"], 0.7, "Mbit/s"),
        (LineFigures(0.3, 120_000.0, True, 5.0, 0.1), ["line_narrow"], 0.12, "Mbit/s"),
        (LineFigures(0.0, NARROW_BIT_RATE, True, 5.0, 0.1), [""] * 3, NARROW_BIT_RATE / 1e6, "Mbit/s"),
        (LineFigures(0.0, 500_000.0, False, 5.0, 0.1), [""] * 3, 0.5, "Mbit/s"),  # we could not send more
    ],
)
def test_what_is_said_of_a_line(figures, instructions, figure, unit):
    verdicts = judge(figures)
    assert [verdict.instruction for verdict in verdicts] == instructions
    assert (verdicts[0].figure, verdicts[0].unit) == (pytest.approx(figure), unit)
    assert all(verdict.probe == "line" for verdict in verdicts if not verdict.ok)


def test_a_good_line_is_told_in_three_figures_and_one_that_was_not_measured_in_none():
    figures = [well("line", 2.48, "Mbit/s"), well("line_loss", 0.0, "% lost"), well("line_delay", 21.0, "ms")]
    assert judge(GOOD) == figures
    assert judge(None) == []
    over_tcp = LineFigures(None, 2_480_000.0, False, 21.0, 0.4)
    assert judge(over_tcp) == [figures[0], figures[2]]


def test_for_it_all_that_was_measured_is_said():
    assert in_words(LOSSY) == "carried 2.20 Mbit/s, 8.0 % lost, 21 ms there and back, 0.4 ms jitter"


class House:
    """A line that is measured as often as it must be; `now_s` is moved by hand."""

    def __init__(self):
        self.figures, self.measured, self.now_s = GOOD, 0, 0.0
        self.path = SimpleNamespace(is_open=True)
        self.turn = SimpleNamespace(relaying=object(), asked=None, known=True)
        self.probe = LineProbe(self.path, self.turn, lambda: None, self._measure, lambda: self.now_s)

    async def _measure(self, relaying, asked, opening):
        self.measured += 1
        return self.figures

    def test(self, occasion="before", context=None):
        """Whether it was measured, and what was said."""
        before = self.measured
        said = asyncio.run(self.probe.run(context or Context(occasion)))
        wrong = said and sorted({verdict.instruction for verdict in said})
        return self.measured > before, wrong


def test_another_things_fault_does_not_have_the_line_measured_again():
    house = House()
    assert house.test("again") == (True, [""])
    assert house.test("again") == (False, None)
    assert house.test("before") == (True, [""])
    assert house.test("staff") == (True, [""])


def test_a_line_that_was_wrong_is_measured_again_ever_more_seldom_and_twice_before_it_is_believed():
    house = House()
    house.figures = LOSSY
    context = Context("before")
    assert [house.test(context=context), house.test(context=context)] == [(True, ["line_loss"])] * 2
    pauses = []
    for _ in range(6):
        began_s = house.now_s
        while not house.test("again", context := Context("again"))[0]:
            house.now_s += 100.0
        assert house.test("again", context)[0], "the same test's second look"
        pauses.append(house.now_s - began_s)
    assert pauses == [AGAIN_AFTER_S, 600.0, 1200.0, 2400.0, 3600.0, 3600.0]
    house.figures, house.now_s = GOOD, house.now_s + 3600.0
    assert [house.test("again"), house.test("again")] == [(True, [""]), (False, None)]


def test_without_a_way_there_is_no_word_of_the_line_and_it_is_measured_when_the_way_is_back():
    house = House()
    house.test()
    house.path.is_open = False
    assert house.test("again") == (False, [])
    house.path.is_open, house.turn.known = True, False
    assert house.test("before") == (False, [])
    house.turn.known = True
    assert house.test("again") == (True, [""])


def test_somebody_who_needs_the_room_ends_it():
    async def for_ever(*_arguments):
        await asyncio.sleep(60)

    async def main():
        house, context = House(), Context()
        probe = line.LineProbe(house.path, house.turn, lambda: None, for_ever)
        running = asyncio.create_task(probe.run(context))
        await asyncio.sleep(0.02)
        context.stopped.set()
        assert await asyncio.wait_for(running, 1) is None

    asyncio.run(main())
