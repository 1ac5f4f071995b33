"""What is decided about the data partition, without any disk."""

from __future__ import annotations

import pytest

from firmware.data_state import Report, enough, from_json, how_to_repair, is_mended, plain, to_json


@pytest.mark.parametrize(
    ("exit_code", "good"),
    [
        (0, True),
        (1, True),
        (2, True),
        (3, True),
        (4, False),
        (8, False),
        (9, False),
        (32, False),
        (-1, False),
    ],
)
def test_what_a_check_left_behind_is_read_as_its_manual_says(exit_code, good):
    assert is_mended(exit_code) is good


@pytest.mark.parametrize(
    ("mounted", "writable", "room", "how"),
    [
        (False, False, False, "made_anew"),
        (True, False, False, "restart"),
        (True, True, True, "cleaned"),
        (True, True, False, "at_restart"),
    ],
)
def test_a_file_system_in_use_is_never_made_anew(mounted, writable, room, how):
    assert how_to_repair(is_mounted=mounted, is_writable=writable, has_room=room) == how


def test_a_small_partition_has_enough_with_a_twentieth():
    assert enough(64 << 20) == (64 << 20) // 20
    assert enough(8 << 30) == 16 << 20


def test_a_report_comes_back_as_it_was_and_a_reason_is_one_short_line():
    report = Report("garbage", "e2fsck: Bad magic\nnumber", 5)
    assert from_json(to_json(report)) == Report("garbage", "e2fsck: Bad magic", 5)
    assert plain("\n \n\x1b[1mbad\x00block\n" + "x" * 500) == "[1mbad block"
    assert len(plain("x" * 500)) == 200


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"state": "fine", "reason": "", "free_bytes": 1}',
        '{"state": "ok", "reason": "", "free_bytes": "1"}',
    ],
)
def test_what_was_not_written_so_is_no_report(text):
    assert from_json(text) is None
