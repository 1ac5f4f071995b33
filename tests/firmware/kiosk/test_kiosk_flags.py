"""The command lines of browser and compositor, and the policies."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from firmware.kiosk import flags
from firmware.kiosk.flags import (
    FLAGS,
    browser_command,
    compositor_command,
    compositor_environment,
    has_gpu,
    has_input,
)
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


def test_cage_looks_for_a_glass_at_once_where_there_may_be_one(tmp_path: Path) -> None:
    assert not has_input(tmp_path)
    (tmp_path / "event0").touch()
    assert has_input(tmp_path)
    assert "WLR_LIBINPUT_NO_DEVICES" not in compositor_environment(gpu=True)
    assert "WLR_LIBINPUT_NO_DEVICES" in compositor_environment(gpu=True, without_input=True)


def test_cage_is_given_what_it_leaves_out_of_a_touch_where_the_image_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = tmp_path / "touch_frame.so"
    monkeypatch.setattr(flags, "TOUCH_FRAME", library)
    assert "LD_PRELOAD" not in compositor_environment(gpu=True)
    library.touch()
    assert compositor_environment(gpu=True)["LD_PRELOAD"] == str(library)


@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
def test_each_touch_ends_with_its_frame(tmp_path: Path) -> None:
    """With a wlroots of three lines, which says what is asked of it."""
    wlroots = r"""
        #include <stdio.h>
        unsigned wlr_seat_touch_notify_down(void *s, void *f, unsigned t, int i, double x, double y) {
            printf("down %p %p %u %d %g %g\n", s, f, t, i, x, y); return 7; }
        void wlr_seat_touch_notify_motion(void *s, unsigned t, int i, double x, double y) {
            printf("motion %p %u %d %g %g\n", s, t, i, x, y); }
        void wlr_seat_touch_notify_up(void *s, unsigned t, int i) { printf("up %p %u %d\n", s, t, i); }
        void wlr_seat_touch_notify_frame(void *s) { printf("frame %p\n", s); }
    """
    cage = r"""
        #include <stdio.h>
        unsigned wlr_seat_touch_notify_down(void *, void *, unsigned, int, double, double);
        void wlr_seat_touch_notify_motion(void *, unsigned, int, double, double);
        void wlr_seat_touch_notify_up(void *, unsigned, int);
        int main(void) {
            printf("serial %u\n", wlr_seat_touch_notify_down((void *)1, (void *)2, 3, 4, 5.5, 6.5));
            wlr_seat_touch_notify_motion((void *)1, 3, 4, 5.5, 6.5);
            wlr_seat_touch_notify_up((void *)1, 3, 4); return 0; }
    """
    made = {name: tmp_path / name for name in ("libwlroots.so", "touch_frame.so", "cage")}
    (tmp_path / "wlroots.c").write_text(wlroots)
    (tmp_path / "cage.c").write_text(cage)
    library = ["cc", "-shared", "-fPIC", "-o"]
    ours = Path(flags.__file__).with_name("touch_frame.c")
    subprocess.run([*library, made["libwlroots.so"], tmp_path / "wlroots.c"], check=True)
    subprocess.run([*library, made["touch_frame.so"], "-nostdlib", "-Wall", "-Werror", ours], check=True)
    subprocess.run(["cc", "-o", made["cage"], tmp_path / "cage.c", made["libwlroots.so"]], check=True)
    with_ours = {"LD_PRELOAD": str(made["touch_frame.so"]), "LD_LIBRARY_PATH": str(tmp_path)}
    said = subprocess.run([made["cage"]], env=with_ours, capture_output=True, text=True, check=True).stdout
    assert said.splitlines() == [
        "down 0x1 0x2 3 4 5.5 6.5",
        "frame 0x1",
        "serial 7",
        "motion 0x1 3 4 5.5 6.5",
        "frame 0x1",
        "up 0x1 3 4",
        "frame 0x1",
    ]


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
