"""Mosquitto's files: those for production are the ones in the repository, and those of `make run` are alike."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from provisioning import broker_files
from provisioning.broker_files import (
    Access,
    Listener,
    Ports,
    bootstrap_rules,
    main_rules,
    replace,
    write_access,
    write_files,
    write_for_production,
)
from provisioning.pki import Authority

PRODUCTION = Path(broker_files.__file__).parent / "production"
PLACE = Path("/etc/mosquitto/halsorum")


def directives(text: str) -> set[str]:
    return {line.split()[0] for line in text.splitlines() if line and not line.startswith("#")}


def test_the_files_in_the_repository_are_what_the_command_writes(tmp_path: Path) -> None:
    names = write_for_production(tmp_path, PLACE, Ports())
    assert sorted(file.name for file in PRODUCTION.iterdir()) == names
    for name in names:
        assert (tmp_path / name).read_text() == (PRODUCTION / name).read_text(), name


def test_rules_that_the_region_has_written_since_are_kept(tmp_path: Path) -> None:
    (tmp_path / "mosquitto.acl").write_text("user unit-1\ntopic deny #\n")
    write_for_production(tmp_path, PLACE, Ports(https=0, websocket=0), ("region", "region-2"))
    assert (tmp_path / "mosquitto.acl").read_text().startswith("user unit-1")
    assert (tmp_path / "mosquitto.conf").read_text().count("\nlistener ") == 2


def test_make_runs_broker_says_the_same_things_on_every_listener(
    tmp_path: Path, authority: Authority
) -> None:
    others = [Listener("https", 3), Listener("websocket", 4)]
    paths = write_files(tmp_path, authority.server(), port=1, bootstrap=(2, authority.ca_file), others=others)
    text = paths.config.read_text()
    assert directives(text) == directives((PRODUCTION / "mosquitto.conf").read_text())
    for needed in ("require_certificate true", "use_username_as_clientid true", "allow_anonymous false"):
        assert text.count(needed) == 4, needed
    assert text.count(f"acl_file {paths.bootstrap_acl}") == 1


def test_denials_come_after_the_rules_once_each_and_in_order() -> None:
    assert main_rules(["region"], ["unit-2", "unit-1", "unit-2"]).endswith(
        "\nuser unit-1\ntopic deny #\n\nuser unit-2\ntopic deny #\n"
    )
    assert bootstrap_rules(["hs-1"]).endswith("pattern read hr/v1/b/%u/dn/#\n\nuser hs-1\ntopic deny #\n")


def test_a_file_that_is_replaced_keeps_its_mode(tmp_path: Path, authority: Authority) -> None:
    paths = write_files(tmp_path, authority.server(), port=1)
    assert stat.S_IMODE(paths.acl.stat().st_mode) == 0o600
    paths.acl.chmod(0o640)
    write_access(paths, access=Access(revoked=frozenset({"unit-1"})))
    assert stat.S_IMODE(paths.acl.stat().st_mode) == 0o640
    with pytest.raises(FileNotFoundError):
        replace(tmp_path / "nowhere" / "file", "text")
