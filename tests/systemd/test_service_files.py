"""systemd reads the services as they are meant, nothing ignored, and confines them as they should be."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from firmware.data_partition import WATCHING, Places

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "systemd"
SERVICES = sorted(FOLDER.glob("*.service"))
PATHS = sorted(FOLDER.glob("*.path"))
UNITS = sorted(
    file
    for kind in ("service", "path", "timer", "socket", "target", "mount")
    for file in FOLDER.glob(f"*.{kind}")
)
PYTHON = "/opt/halsorum/venv/bin/python"
FOREIGN = {
    "halsorum-wired@",
    "halsorum-seat",
    "halsorum-audio",
    "halsorum-audio-session",
    "halsorum-audio-pulse",
}
"""Programs of Debian's, not modules of ours."""
MOST_EXPOSED = {"halsorum-kiosk": 2.5}
"""`systemd-analyze security`, 0 to 10: the browser's own sandbox needs namespaces. All others: LIMIT."""
LIMIT = 2.0
NEVER_GIVEN_UP = [service for service in SERVICES if not service.stem.endswith("@")]
has_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)


def section(unit: Path, name: str) -> dict[str, str]:
    """Of what is given more than once, all of it."""
    found: dict[str, str] = {}
    current = ""
    for line in unit.read_text().splitlines():
        if line.startswith("["):
            current = line.strip("[]")
        elif "=" in line and not line.startswith("#") and current == name:
            key, _, value = line.partition("=")
            found[key] = f"{found[key]} {value}" if key in found else value
    return found


def settings(service: Path) -> dict[str, str]:
    return section(service, "Service")


def names(values: list[Path]) -> list[str]:
    return [str(value.stem) for value in values]


@pytest.fixture(scope="module")
def readable(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The units as systemd may look at them here, where none of the programs is installed: any one will do."""
    folder = tmp_path_factory.mktemp("units")
    for unit in UNITS:
        text = re.sub(r"^(Exec\w+=[-+!@:]*)\S+", r"\1/bin/true", unit.read_text(), flags=re.MULTILINE)
        (folder / unit.name.replace("@.", "@eth0.")).write_text(text)
    return folder


@has_systemd
def test_systemd_has_nothing_to_say_of_them(readable: Path) -> None:
    told = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(str(unit) for unit in sorted(readable.iterdir()))],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    about_ours = [line for line in told.stderr.splitlines() if "halsorum" in line]
    assert about_ours == []


@has_systemd
def test_each_is_confined(readable: Path) -> None:
    """In one process: it takes half a second to start."""
    services = sorted(readable.glob("*.service"))
    told = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", *(str(unit) for unit in services)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    exposed = {
        name: float(score)
        for name, score in re.findall(r"exposure level for (\S+)\.service: ([0-9.]+)", told.stdout)
    }
    assert len(exposed) == len(services), told.stderr
    limits = {name: MOST_EXPOSED.get(name.removesuffix("eth0").removesuffix("@"), LIMIT) for name in exposed}
    assert {name: score for name, score in exposed.items() if score > limits[name]} == {}


@pytest.mark.parametrize("service", SERVICES, ids=names(SERVICES))
def test_what_runs_is_a_module_of_ours_with_no_more_than_it_needs(service: Path) -> None:
    given = settings(service)
    if service.stem not in FOREIGN and given["ExecStart"].startswith(PYTHON):
        module = given["ExecStart"].split(" ")[2]
        file = ROOT / module.replace(".", "/")
        assert file.with_suffix(".py").is_file() or (file / "__main__.py").is_file()
    assert given["NoNewPrivileges"] == "yes" or service.stem == "halsorum-kiosk"
    assert given["LimitCORE"] == "0"  # a core would hold what was said and seen
    if "User" not in given:
        # As root, since others are not: nothing that goes on running, and nothing that can gain a power.
        # But the seat, which opens screen and glass for whoever may not.
        assert given["Type"] == "oneshot" or service.stem == "halsorum-seat"
        assert "CapabilityBoundingSet" in given


@pytest.mark.parametrize("service", NEVER_GIVEN_UP, ids=names(NEVER_GIVEN_UP))
def test_no_service_is_given_up_for_good(service: Path) -> None:
    """Nobody visits a unit to start it: either systemd counts nothing, or somebody comes when it has given up."""
    unit, given = section(service, "Unit"), settings(service)
    assert unit.get("StartLimitIntervalSec") == "0" or unit.get("OnFailure") == "halsorum-rescue@%n.service"
    assert given["Type"] == "oneshot" or given["Restart"] == "always"


@pytest.mark.parametrize("path", PATHS, ids=names(PATHS))
def test_what_is_watched_for_starts_a_service_of_ours(path: Path) -> None:
    assert path.with_suffix(".service") in SERVICES
    assert path.name in WATCHING
    assert section(path, "Unit")["OnFailure"] == "halsorum-rescue@%n.service"


def test_the_agent_waits_for_its_data_and_never_for_the_network() -> None:
    unit = section(FOLDER / "halsorum-agent.service", "Unit")
    assert "halsorum-data.service" in unit["After"].split()
    assert "network-online" not in " ".join(unit.values())


def test_the_agent_may_write_where_the_image_tells_it_to_put_bundles() -> None:
    place = tomllib.loads((ROOT / "firmware/image/unit.toml").read_text())["update_dir"]
    agent = settings(FOLDER / "halsorum-agent.service")
    assert agent["ReadWritePaths"] == f"-{place}"
    [folder] = [folder for folder in Places().folders if str(folder.seen_at) == place]
    assert (folder.owner, folder.group) == (agent["User"], agent["User"])


def test_what_needs_root_for_the_network_reads_the_agents_folders() -> None:
    watched = section(FOLDER / "halsorum-network.path", "Path")["PathChanged"].split()
    state, identity = settings(FOLDER / "halsorum-agent.service")["StateDirectory"].split()
    assert watched == [f"/var/lib/{state}/network", f"/var/lib/{identity}"]
    started = settings(FOLDER / "halsorum-network.service")["ExecStart"]
    assert f"--state /var/lib/{state} --identity /var/lib/{identity}" in started


def test_users_are_those_that_the_services_run_as() -> None:
    made = {
        line.split()[1]
        for file in FOLDER.glob("sysusers*.conf")
        for line in file.read_text().splitlines()
        if line.startswith("u ")
    }
    assert {settings(service)["User"] for service in SERVICES if "User" in settings(service)} <= made


@pytest.mark.skipif(shutil.which("systemd-sysusers") is None, reason="systemd is not installed")
def test_users_and_folders_are_written_as_systemd_reads_them(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    for name in ("passwd", "group"):
        (tmp_path / "etc" / name).touch()
    users = subprocess.run(
        ["systemd-sysusers", f"--root={tmp_path}", *map(str, sorted(FOLDER.glob("sysusers*.conf")))],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert users.returncode == 0, users.stderr
    passwd = (tmp_path / "etc/passwd").read_text()
    assert "halsorum:x:970:970:" in passwd
    folders = [line.split() for line in (FOLDER / "tmpfiles.conf").read_text().splitlines() if line[0] != "#"]
    owners = {line.partition(":")[0] for line in passwd.splitlines()} | {"root"}
    assert {owner for _type, _path, _mode, owner, *_rest in folders} <= owners
    assert {kind for kind, *_rest in folders} <= {"d", "D", "z", "Z", "L+", "f"}
