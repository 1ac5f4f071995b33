"""What systemd is asked to mount: units by the names and in the form that it takes, and no reload without need."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from firmware.mount_units import Mounts, MountUnit, escaped, point

has_systemd = pytest.mark.skipif(shutil.which("systemd-escape") is None, reason="systemd is not installed")
DATA = MountUnit("/run/halsorum-data/device", Path("/data"), "ext4", "rw,nosuid")
BOUND = MountUnit("/data/agent", Path("/var/lib/halsorum"), "none", "bind")


class Systemctl:
    """Notes what it is asked; the verb that is to fail, fails."""

    def __init__(self, failing: str = "") -> None:
        self.failing = failing
        self.asked: list[list[str]] = []

    def __call__(self, command: Sequence[str], _within_s: float) -> tuple[int, str]:
        assert command[0] == "systemctl"
        self.asked.append(list(command[1:]))
        return int(command[1] == self.failing), "Job failed."


@has_systemd
def test_names_are_systemds_own() -> None:
    places = ["/", "/data", "/var/lib/halsorum-identity", "/var/log/journal", "/.hidden/a b/ö:_.x/"]
    told = subprocess.run(
        ["systemd-escape", "--path", *places], capture_output=True, text=True, check=True
    ).stdout.split()
    assert [escaped(Path(place)) for place in places] == told


@has_systemd
@pytest.mark.parametrize("unit", [DATA, BOUND], ids=["device", "bind"])
def test_systemd_reads_the_unit_as_it_is_meant(tmp_path: Path, unit: MountUnit) -> None:
    file = tmp_path / unit.name
    file.write_text(unit.text)
    told = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(file)], capture_output=True, text=True, check=False
    )
    assert [line for line in told.stderr.splitlines() if unit.name in line] == []


def test_all_are_written_and_started_at_once(tmp_path: Path) -> None:
    systemctl = Systemctl()
    assert Mounts(tmp_path / "units", systemctl).mount(DATA, BOUND) == ""
    assert systemctl.asked == [["start", "data.mount", "var-lib-halsorum.mount"]]
    assert (tmp_path / "units/data.mount").read_text() == DATA.text


def test_systemd_is_told_only_of_what_it_may_have_read_otherwise(tmp_path: Path) -> None:
    systemctl = Systemctl()
    mounts = Mounts(tmp_path, systemctl)
    mounts.mount(DATA)
    mounts.unmount(DATA.where)
    mounts.mount(DATA)
    assert systemctl.asked == [["start", "data.mount"], ["stop", "data.mount"], ["start", "data.mount"]]
    mounts.mount(MountUnit("halsorum-data", DATA.where, "tmpfs", "size=128M"))
    assert systemctl.asked[3:] == [["daemon-reload"], ["start", "data.mount"]]


def test_what_is_not_mounted_is_said_with_where_to_look_and_may_be_tried_again(tmp_path: Path) -> None:
    systemctl = Systemctl(failing="start")
    assert "journalctl -u data.mount" in Mounts(tmp_path, systemctl).mount(DATA)
    assert systemctl.asked[-1] == ["reset-failed", "data.mount"]
    occupied = tmp_path / "file"
    occupied.touch()
    assert Mounts(occupied, Systemctl()).mount(DATA).startswith(str(occupied))


def test_the_link_to_the_device_is_replaced_and_never_half_there(tmp_path: Path) -> None:
    link = tmp_path / "run/device"
    for device in (Path("/dev/vda5"), Path("/dev/sda5")):
        assert point(link, device) == ""
        assert link.readlink() == device
    assert list(link.parent.iterdir()) == [link]
