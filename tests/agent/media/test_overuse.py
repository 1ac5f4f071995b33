"""The detector, with a processor of a given speed in place of a real one."""

from __future__ import annotations

from agent.media.overuse import PATIENCE_S, OveruseDetector
from agent.media.source import EncodingTarget

FULL = EncodingTarget(1_500_000, 30.0, 1280, 720)
FRAME_S = 1 / 30


class Processor:
    """Takes `megapixel_s` seconds for a megapixel; pictures that come meanwhile are left out."""

    def __init__(self, megapixel_s: float) -> None:
        self.megapixel_s = megapixel_s
        self.detector = OveruseDetector()
        self.now = 100.0
        self.changes = 0

    def runs(self, seconds: float, target: EncodingTarget = FULL) -> EncodingTarget:
        until, before = self.now + seconds, self.detector.bounded(target)
        while self.now < until:
            bounded = self.detector.bounded(target)
            self.changes += bounded != before
            before = bounded
            took = self.megapixel_s * bounded.width * bounded.height / 1e6
            self.now += max(took, FRAME_S)
            self.detector.add(took, bounded.width, self.now)
        return self.detector.bounded(target)


def test_a_processor_that_keeps_up_keeps_the_picture() -> None:
    assert Processor(0.025).runs(60) == FULL


def test_a_slow_processor_gets_a_smaller_picture_within_seconds() -> None:
    target = Processor(0.04).runs(6)
    assert (target.width, target.height) == (960, 540)
    assert (target.bit_rate, target.frame_rate) == (FULL.bit_rate, FULL.frame_rate)


def test_a_very_slow_one_goes_down_step_by_step_but_not_for_ever() -> None:
    assert Processor(0.07).runs(12).width == 640
    assert Processor(5.0).runs(300).width == 480


def test_one_busy_moment_changes_nothing() -> None:
    processor = Processor(0.025)
    processor.runs(5)
    processor.megapixel_s = 0.06
    processor.runs(1.5)
    processor.megapixel_s = 0.025
    assert processor.runs(5) == FULL
    assert processor.changes == 0


def test_it_comes_back_when_there_is_room_and_not_before() -> None:
    processor = Processor(0.04)
    assert processor.runs(6).width == 960
    assert processor.runs(PATIENCE_S * 2).width == 960  # 720 rows would take more than there is
    processor.megapixel_s = 0.015
    assert processor.runs(PATIENCE_S * 2) == FULL


def test_a_processor_on_the_edge_does_not_swing() -> None:
    processor = Processor(0.017)
    for _ in range(100):
        processor.megapixel_s = 0.034 if processor.detector.bounded(FULL).width == 1280 else 0.017
        processor.runs(6)
    assert processor.changes <= 14  # in ten minutes: each return waits longer


def test_a_picture_that_the_line_keeps_small_is_not_blown_up_later() -> None:
    processor = Processor(0.04)
    processor.runs(6)
    small = EncodingTarget(200_000, 20.0, 640, 360)
    assert processor.runs(60, small) == small
    assert processor.detector.bounded(FULL).width == 960
