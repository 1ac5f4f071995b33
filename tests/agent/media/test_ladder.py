from __future__ import annotations

import pytest

from agent.media.ladder import DOWNGRADE_AFTER_S, STEPS, UPGRADE_AFTER_S, Ladder


@pytest.mark.parametrize(
    ("bit_rate", "form"),
    [
        (2_400_000, (1280, 720, 30.0)),
        (500_000, (960, 540, 30.0)),
        (300_000, (640, 360, 30.0)),
        (210_000, (640, 360, 20.0)),
        (140_000, (480, 270, 15.0)),
        (100_000, (320, 180, 12.0)),
    ],
)
def test_size_and_frame_rate_give_way_before_quality(bit_rate: int, form: tuple[int, int, float]) -> None:
    target = Ladder().target(bit_rate, 0.0)
    assert (target.width, target.height, target.frame_rate) == form
    assert target.bit_rate == bit_rate


def test_a_line_of_300_kbit_still_gives_ten_pictures_a_second() -> None:
    assert all(step.frame_rate >= 10 and step.width >= 320 for step in STEPS)


def test_a_wavering_line_does_not_make_the_size_waver() -> None:
    ladder, widths = Ladder(), set()
    for count in range(600):
        widths.add(ladder.target((700_000, 880_000, 790_000)[count % 3], count * 0.1).width)
    assert widths == {960}
    assert ladder.target(1_100_000, 100.0).width == 960
    assert ladder.target(1_100_000, 100.1 + UPGRADE_AFTER_S).width == 1280


def test_a_short_dip_costs_no_keyframe_a_deep_one_does_at_once() -> None:
    ladder = Ladder()
    assert ladder.target(900_000, 0.0).width == 1280
    assert ladder.target(700_000, 1.0).width == 1280
    assert ladder.target(900_000, 1.5).width == 1280
    assert ladder.target(700_000, 1.6).width == 1280
    assert ladder.target(700_000, 1.7 + DOWNGRADE_AFTER_S).width == 960
    assert ladder.target(300_000, 1.8 + DOWNGRADE_AFTER_S).width == 640


def test_a_smaller_camera_is_never_enlarged() -> None:
    target = Ladder(640, 25.0).target(2_500_000, 0.0)
    assert (target.width, target.height, target.frame_rate) == (640, 360, 25.0)
