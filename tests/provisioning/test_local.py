"""What `make run` writes before it starts anything."""

from __future__ import annotations

import json
import socket
import stat
import tomllib
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import argon2
import pytest

import provisioning.local as local
from agent.config import load_settings as load_unit_settings
from provisioning.accounts import Accounts
from provisioning.broker_files import BrokerFiles
from provisioning.database import Database
from provisioning.enrolments import Enrolments
from provisioning.local import ROOM, SERIAL, UNIT, LocalAccess, Options
from provisioning.local_files import write_toml
from provisioning.local_identity import CERTIFICATE
from provisioning.local_parts import CannotStart, Parts
from provisioning.pki import Authority
from provisioning.rooms import Rooms
from provisioning.settings import load_settings as load_region_settings


@pytest.fixture
def options(tmp_path: Path) -> Options:
    return Options(tmp_path, *free_ports(3), tone_hz=440.0)


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def test_the_settings_it_writes_are_what_region_and_unit_read(options: Options, authority: Authority) -> None:
    identity = authority.client("region")
    unit = load_unit_settings(local._unit_settings(options, options.state))
    assert (unit.broker_port, unit.web_port, unit.tone_hz, unit.loopback_media) == (
        options.broker_port,
        options.screen_port,
        440.0,
        True,
    )
    assert unit.footage is None
    file = local._region_settings(
        options, options.state, "sqlite:///x.db", identity, BrokerFiles.in_folder(options.state)
    )
    region = load_region_settings(file, {})
    assert region.broker.port == options.broker_port
    assert region.enrolment is not None and region.enrolment.bootstrap_port == options.bootstrap_port
    assert region.web.public_url == f"http://localhost:{options.region_port}"
    assert mode(file) == 0o600


def test_strings_of_any_kind_survive_the_toml_it_writes(tmp_path: Path) -> None:
    plain = {"a": 'quote " and \\ backslash', "b": "Hälsorum\n1 \x7f"}
    inner = {"c": True, "d": 1.5, "e": 8080}
    file = write_toml(tmp_path / "x.toml", plain, inner=inner)
    assert tomllib.loads(file.read_text()) == plain | {"inner": inner}


def test_the_first_time_makes_everything_and_the_next_finds_it_again(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch, clock: Any
) -> None:
    monkeypatch.setattr(local, "PasswordHasher", argon2.PasswordHasher)  # which conftest has made quick
    url = f"sqlite:///{tmp_path}/region/region.db"
    unit = local.prepare(Options(tmp_path), tmp_path / "identity", authority, authority) / CERTIFICATE
    first = local.first_time(tmp_path, url, unit)
    assert local.first_time(tmp_path, url, unit) == first
    assert mode(tmp_path / "access.json") == 0o600
    assert len({first.clinician_password, first.staff_password, first.it_password, first.pin}) == 4
    database = Database(url)
    (room,) = Rooms(database, clock).rooms()
    assert (room.id, room.unit_id) == (ROOM, UNIT)
    assert Accounts(database, clock).authenticate(first.clinician, first.clinician_password) is not None
    (bootstrap,) = Enrolments(database, clock).bootstraps()
    assert (bootstrap.serial, bootstrap.state, bootstrap.unit) == (SERIAL, "used", UNIT)
    database.close()


def test_a_taken_port_is_told_with_the_way_out(options: Options) -> None:
    local.check_ports(options)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", options.region_port))
        with pytest.raises(
            CannotStart, match=rf"{options.region_port}.*region.*--region-port {options.region_port + 1}"
        ):
            local.check_ports(options)


def test_tools_are_told_where_everything_is(options: Options) -> None:
    run = options.state / "unit" / "state" / "run"
    run.mkdir(parents=True)
    (run / "browser-secret").write_text("boot s3cret")
    local._write_system(options, Parts())
    file = options.state / "system.json"
    assert (
        json.loads(file.read_text())["screen"] == f"http://localhost:{options.screen_port}/enter?key=s3cret"
    )
    written = file.stat().st_mtime_ns
    local._write_system(options, Parts())
    assert file.stat().st_mtime_ns == written


def test_who_starts_it_is_told_where_to_look(options: Options, capsys: pytest.CaptureFixture[str]) -> None:
    run = options.state / "unit" / "state" / "run"
    run.mkdir(parents=True)
    (run / "browser-secret").write_text("boot s3cret")
    access = LocalAccess("behandlare", "pw-1", "personal", "pw-2", "471100", "token", "it", "pw-3")
    (options.state / "access.json").write_text(json.dumps(asdict(access)))
    local._welcome(options)
    said = capsys.readouterr().out
    for needed in (
        "enter?key=s3cret",
        f"http://localhost:{options.region_port}/",
        "pw-1",
        "pw-2",
        "pw-3",
        "471100",
    ):
        assert needed in said


def test_a_film_that_is_not_there_is_said_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["make run", "--footage", "/none.mp4"])
    with pytest.raises(SystemExit):
        local._options()
    assert "there is no such file" in capsys.readouterr().err
