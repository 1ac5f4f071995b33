"""The browser's secret: one for each boot, and its owner's alone."""

from __future__ import annotations

import stat

import pytest

from agent.browser_secret import browser_secret


@pytest.fixture
def boot_id(tmp_path):
    file = tmp_path / "boot_id"
    file.write_text("first-boot\n")
    return file


def test_a_restart_finds_it_again_and_another_boot_makes_a_new_one(tmp_path, boot_id):
    first = browser_secret(tmp_path / "run", boot_id)
    assert len(first) >= 32
    assert browser_secret(tmp_path / "run", boot_id) == first
    boot_id.write_text("second-boot\n")
    assert browser_secret(tmp_path / "run", boot_id) != first


def test_only_its_owner_may_read_it(tmp_path, boot_id):
    browser_secret(tmp_path / "run", boot_id)
    assert stat.S_IMODE((tmp_path / "run").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "run" / "browser-secret").stat().st_mode) == 0o600


@pytest.mark.parametrize("torn", ["", "first-boot", "first-boot "])
def test_a_torn_file_is_made_anew(tmp_path, boot_id, torn):
    (tmp_path / "run").mkdir()
    file = tmp_path / "run" / "browser-secret"
    file.write_text(torn)
    secret = browser_secret(tmp_path / "run", boot_id)
    assert secret
    assert file.read_text() == f"first-boot {secret}"


def test_in_a_folder_that_gives_its_group_the_group_may_read_it(tmp_path, boot_id):
    (tmp_path / "run").mkdir()
    (tmp_path / "run").chmod(0o2750)
    browser_secret(tmp_path / "run", boot_id)
    assert stat.S_IMODE((tmp_path / "run" / "browser-secret").stat().st_mode) == 0o640
    assert [file.name for file in (tmp_path / "run").iterdir()] == ["browser-secret"]
