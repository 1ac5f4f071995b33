"""systemd reads the services as they are meant: nothing unknown, nothing ignored."""

from __future__ import annotations

import configparser
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "systemd"
SERVICES = sorted(FOLDER.glob("*.service"))
PATHS = sorted(FOLDER.glob("*.path"))
INSTALLED = "/opt/halsorum/bin/python"
SUPPLICANT = "/sbin/wpa_supplicant"
AS_ROOT = {"halsorum-network", "halsorum-wired@"}
"""What sets the machine's network must be root; the rest must not."""
DAEMONS = [service for service in SERVICES if service.stem not in AS_ROOT]


def settings(service: Path) -> configparser.SectionProxy:
    parsed = configparser.ConfigParser(interpolation=None, strict=False)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read_string(service.read_text())
    return parsed["Service"]


def test_there_are_services() -> None:
    assert {service.stem for service in SERVICES} >= {"halsorum-agent", "halsorum-region"} | AS_ROOT


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_has_nothing_to_say_of_them(tmp_path: Path) -> None:
    for unit in (*SERVICES, *PATHS):
        # Where the program is installed is the image's to say; here any program will do.
        text = unit.read_text()
        for program in (INSTALLED, SUPPLICANT):
            text = text.replace(program, shutil.which("true") or "/bin/true")
        (tmp_path / unit.name.replace("@.", "@eth0.")).write_text(text)
    told = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(str(unit) for unit in sorted(tmp_path.iterdir()))],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    about_ours = [line for line in told.stderr.splitlines() if "halsorum" in line]
    assert about_ours == []


@pytest.mark.parametrize("service", DAEMONS, ids=lambda service: str(service.stem))
def test_what_runs_is_a_module_of_ours_confined_and_started_again(service: Path) -> None:
    given = settings(service)
    program, _, module = given["ExecStart"].split(" ")[:3]
    assert program == INSTALLED
    root = FOLDER.parent / module.replace(".", "/")
    assert root.with_suffix(".py").is_file() or (root / "__main__.py").is_file()
    assert (given["NoNewPrivileges"], given["ProtectSystem"]) == ("yes", "strict")
    if given["Type"] == "oneshot":
        assert module.startswith("firmware.")  # root, since the agent is not: started for one thing, and gone
        return
    assert given["User"] not in {"", "root"}
    assert given["Restart"] == "always"


@pytest.mark.parametrize("path", PATHS, ids=lambda path: str(path.stem))
def test_what_is_watched_for_starts_a_service_of_ours(path: Path) -> None:
    assert path.with_suffix(".service") in SERVICES


@pytest.mark.parametrize("name", sorted(AS_ROOT))
def test_what_runs_as_root_may_write_below_run_alone(name: str) -> None:
    given = settings(FOLDER / f"{name}.service")
    assert "User" not in given
    assert (given["ProtectSystem"], given["ReadWritePaths"], given["NoNewPrivileges"]) == (
        "strict",
        "/run",
        "yes",
    )


def test_the_network_is_set_when_the_agents_folder_or_identity_changes() -> None:
    path = FOLDER / "halsorum-network.path"
    watched = [
        line.partition("=")[2] for line in path.read_text().splitlines() if line.startswith("PathChanged")
    ]
    state = settings(FOLDER / "halsorum-agent.service")["StateDirectory"]
    assert watched == [f"/var/lib/{state}/network", f"/var/lib/{state}/identity"]
    assert f"--state /var/lib/{state}" in settings(FOLDER / "halsorum-network.service")["ExecStart"]
