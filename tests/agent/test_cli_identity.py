"""`halsorum prepare` and `halsorum identity` on the unit."""

from __future__ import annotations

import json

import pytest
from cryptography import x509

from agent.cli_identity import main
from agent.console import main as console
from agent.identity_store import IdentityStore
from tests.agent.test_identity_store import AUTHORITY, enrol, lay_bootstrap


def test_prepare_makes_one_key_and_tells_where_its_request_is(tmp_path, capsys):
    folder = tmp_path / "identity"
    asked = ["prepare", "--serial", "hr-0001", "--identity", str(folder), "--json"]
    assert main(asked) == 0
    told = json.loads(capsys.readouterr().out)
    request = folder / "bootstrap" / "request.pem"
    assert told == {"serial": "hr-0001", "request": str(request)}
    csr = x509.load_pem_x509_csr(request.read_bytes())
    assert csr.subject.rfc4514_string() == "CN=hr-0001"
    before = request.read_bytes()
    assert main(asked) == 0  # said twice, the same key
    assert request.read_bytes() == before
    certificate = AUTHORITY.certificate("hr-0001", csr.public_key())
    (request.parent / "certificate.pem").write_bytes(certificate)
    (request.parent / "ca.pem").write_bytes(AUTHORITY.pem)
    (request.parent / "address.toml").write_text('host = "mqtt.example"\nport = 8884\n')
    assert IdentityStore(folder).bootstrap().identity.unit == "hr-0001"


@pytest.mark.parametrize("serial", ["", "HR 1", "../../etc", "x" * 64, "-a"])
def test_prepare_refuses_what_is_no_serial_number(tmp_path, capsys, serial):
    assert main(["prepare", f"--serial={serial}", "--identity", str(tmp_path)]) == 1
    assert "hr-000417" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_prepare_leaves_another_bootstrap_alone(tmp_path, capsys):
    lay_bootstrap(tmp_path)
    assert main(["prepare", "--serial", "hr-0002", "--identity", str(tmp_path)]) == 1
    assert "wipe the unit" in capsys.readouterr().err


def test_identity_tells_who_the_unit_is_and_until_when(tmp_path, capsys):
    store = IdentityStore(tmp_path)
    assert main(["identity", "--identity", str(tmp_path)]) == 3
    assert "halsorum prepare" in capsys.readouterr().out
    lay_bootstrap(tmp_path)
    store.request()
    assert main(["identity", "--identity", str(tmp_path)]) == 3
    asks = capsys.readouterr().out
    assert "hr-0001" in asks
    assert len(asks.split("asks with:")[1].split()) == 8
    enrol(store)
    with pytest.raises(SystemExit) as ended:
        console(["identity", "--identity", str(tmp_path), "--json"])
    assert ended.value.code == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["current"]["name"], told["bootstrap"]["name"], told["new"], told["asking"]) == (
        "unit-1",
        "hr-0001",
        None,
        None,
    )
    assert "PRIVATE" not in json.dumps(told)


def test_what_cannot_be_read_is_told_by_its_file(tmp_path, capsys):
    lay_bootstrap(tmp_path)
    (tmp_path / "bootstrap" / "address.toml").write_text("host = 5")
    assert main(["identity", "--identity", str(tmp_path)]) == 1
    assert "bootstrap: host" in capsys.readouterr().err
    assert main(["identity", "--config", str(tmp_path / "none.toml")]) == 1
    assert "none.toml" in capsys.readouterr().err
