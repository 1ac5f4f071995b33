"""Another unit beside `make run`, out of its box."""

from __future__ import annotations

import json
import socket
import tomllib
from pathlib import Path

import pytest
from cryptography import x509

from agent.config import load_settings
from agent.contract.unit_config import BrokerAddress
from provisioning import local_new_unit
from provisioning.local_identity import prepare_unit
from provisioning.local_new_unit import new_unit
from provisioning.local_parts import CannotStart
from provisioning.pki import BOOTSTRAP, CERTIFICATE_LIFE, Authority


def test_a_box_is_made_once_and_finds_the_door_where_it_is_now(tmp_path: Path) -> None:
    (tmp_path / "broker.json").write_text(json.dumps({"host": "127.0.0.1", "bootstrap_port": 1}))
    part = new_unit(tmp_path, "hs-2", 8401)
    settings = load_settings(Path(part.command[-1]))
    assert settings.identity_dir is not None and settings.web_port == 8401
    bootstrap = settings.identity_dir / "bootstrap"
    certificate = (bootstrap / "certificate.pem").read_bytes()
    loaded = x509.load_pem_x509_certificate(certificate)
    assert loaded.subject.rfc4514_string() == "CN=hs-2"
    authority = Authority(tmp_path / "bootstrap-pki", BOOTSTRAP)
    loaded.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.ca_file.read_bytes()))

    (tmp_path / "broker.json").write_text(json.dumps({"host": "127.0.0.1", "bootstrap_port": 2}))
    new_unit(tmp_path, "hs-2", 8402)
    assert (bootstrap / "certificate.pem").read_bytes() == certificate
    assert tomllib.loads((bootstrap / "address.toml").read_text())["port"] == 2


def test_without_a_system_there_is_nothing_to_be_let_into(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="make run"):
        new_unit(tmp_path, "hs-2", 8401)


def test_a_taken_port_is_told_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(local_new_unit.signal, "signal", lambda *_given: None)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        monkeypatch.setattr(
            "sys.argv", ["make new-unit", "--state", str(tmp_path), "--screen-port", str(port)]
        )
        assert local_new_unit.main() == 1
    assert f"--screen-port {port + 1}" in capsys.readouterr().out


def test_a_unit_let_in_beforehand_keeps_its_identity_and_learns_the_broker(
    tmp_path: Path, authority: Authority
) -> None:
    for port in (1, 2):
        address = BrokerAddress(host="localhost", port=port)
        folder = prepare_unit(tmp_path, "unit-1", authority, address, CERTIFICATE_LIFE)
        kept = (folder / "certificate.pem").read_bytes()
        assert json.loads((folder / "broker.json").read_text())["port"] == port
    assert (tmp_path / "g-0001" / "certificate.pem").read_bytes() == kept
    assert folder.readlink() == Path("g-0001")
