"""systemd reads the services as they are meant: nothing unknown, nothing ignored."""

from __future__ import annotations

import configparser
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "systemd"
SERVICES = sorted(FOLDER.glob("*.service"))
INSTALLED = "/opt/halsorum/bin/python"


def settings(service: Path) -> configparser.SectionProxy:
    parsed = configparser.ConfigParser(interpolation=None, strict=False)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read_string(service.read_text())
    return parsed["Service"]


def test_there_are_services() -> None:
    assert {service.stem for service in SERVICES} >= {"halsorum-agent", "halsorum-region"}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_has_nothing_to_say_of_them(tmp_path: Path) -> None:
    for service in SERVICES:
        # Where the program is installed is the image's to say; here any program will do.
        text = service.read_text().replace(INSTALLED, shutil.which("true") or "/bin/true")
        (tmp_path / service.name).write_text(text)
    told = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(str(tmp_path / service.name) for service in SERVICES)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    about_ours = [line for line in told.stderr.splitlines() if "halsorum" in line]
    assert about_ours == []


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: str(service.stem))
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
