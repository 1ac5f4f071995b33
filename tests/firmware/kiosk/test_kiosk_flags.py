"""The command lines of browser and compositor, and the policies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from firmware.kiosk.flags import FLAGS, browser_command, compositor_command, compositor_environment, has_gpu
from firmware.kiosk.settings import KioskSettings

ROOT = Path(__file__).parents[3] / "firmware/kiosk/root"
SETTINGS = KioskSettings(8400, Path("/run/halsorum/screen"), Path("/run/halsorum-kiosk"))
POLICIES = json.loads((ROOT / "etc/chromium/policies/managed/halsorum.json").read_text())


@pytest.mark.parametrize("gpu", [True, False])
def test_the_sandbox_stays_on_and_no_secret_is_in_the_command(gpu: bool) -> None:
    command = browser_command(SETTINGS, gpu=gpu)
    assert not [word for word in command if "sandbox" in word or "key=" in word or "remote-debugging" in word]
    assert command[-1] == "file:///run/halsorum-kiosk/start/index.html"
    assert "--user-data-dir=/run/halsorum-kiosk/profile" in command
    assert ("--disable-gpu" in command) is not gpu
    assert ("WLR_RENDERER" in compositor_environment(gpu=gpu)) is not gpu


def test_every_flag_is_given_once_and_has_its_reason() -> None:
    names = [flag.partition("=")[0] for flag, _why in FLAGS]
    assert len(names) == len(set(names))
    assert [flag for flag, why in FLAGS if len(why) < 8] == []


def test_no_key_changes_the_console() -> None:
    assert "-s" not in compositor_command()
    rules, folder = compositor_environment(gpu=False)["XKB_DEFAULT_RULES"], ROOT / "etc/xkb"
    assert (folder / "rules" / rules).is_file()


def test_the_policies_allow_our_page_and_its_start_alone() -> None:
    origin, start = "http://localhost:8400", "file:///run/halsorum-kiosk/start/"
    assert POLICIES["URLBlocklist"][0] == "*"
    assert POLICIES["URLAllowlist"] == [origin, start]
    assert POLICIES["AutoplayAllowlist"] == POLICIES["WebRtcLocalIpsAllowedUrls"] == [origin]
    assert SETTINGS.origin == origin
    assert browser_command(SETTINGS, gpu=True)[-1].startswith(start)
    captured = [POLICIES[f"{what}CaptureAllowed"] for what in ("Audio", "Video", "Screen")]
    assert captured == [False, False, False]
    asks = {
        name: value for name, value in POLICIES.items() if name.startswith("Default") and "Setting" in name
    }
    assert len(asks) > 10
    assert set(asks.values()) <= {2, False}


@pytest.mark.parametrize(
    ("driver", "draws"), [("v3d", True), ("i915", True), ("virtio_gpu", False), (None, False)]
)
def test_only_a_card_that_draws_by_itself_counts(tmp_path: Path, driver: str | None, draws: bool) -> None:
    if driver is not None:
        (tmp_path / "drivers" / driver).mkdir(parents=True)
        device = tmp_path / "drm" / "renderD128" / "device"
        device.mkdir(parents=True)
        (device / "driver").symlink_to(tmp_path / "drivers" / driver)
    assert has_gpu(tmp_path / "drm") is draws
