"""What a unit in the middle of a visit puts into its bundle, and what it does not."""

import asyncio
import io
import json
import logging
import tarfile
from types import SimpleNamespace

import pytest

from agent.config import Settings
from agent.config_kept import LEDGER_KEY
from agent.configuring import Ledger
from agent.contract.commands import CommandReport
from agent.contract.unit_config import Config, StaffMember
from agent.diagnostics import machine_parts, network_path, service
from agent.diagnostics.log_ring import LogRing
from agent.diagnostics.network_path import Way
from agent.diagnostics.service import Diagnostics
from agent.diagnostics.unit_parts import without_secrets
from agent.diagnostics.upload import UploadError
from agent.meeting_messages import Name

NAME, CAPTION = "Kanarie Fågelsson", "det gör ont i knäet"
DIGEST = "$argon2id$v=19$m=8,t=1,p=1$c2FsdA$ZGlnZXN0"


@pytest.fixture
def made(ready_house, tmp_path, monkeypatch):
    house = ready_house
    settings = Settings(
        state_dir=tmp_path, ca_file=tmp_path / "ca.pem", certificate_file=tmp_path, key_file=tmp_path
    )
    staff = (StaffMember(id="s1", label="Ankan", pin_digest=DIGEST),)
    config = Config(room_name="Rum 4", staff_pin_digest=DIGEST, staff=staff, phone="08-123 456 78")
    ledger = Ledger(rev=3, values=config)
    house.store.put(LEDGER_KEY, ledger.model_dump_json().encode())
    view = SimpleNamespace(
        names={"c41f": Name(NAME, "Fågelholken")}, captions=[SimpleNamespace(text=CAPTION)]
    )
    house.unit.meeting = SimpleNamespace(view=lambda: view)
    monkeypatch.setattr(machine_parts, "run", lambda command, *_: f"({command[0]} is not installed)\n")
    monkeypatch.setattr(service, "network_path", lambda way: {"host": way.host})
    ring = LogRing()
    identity = SimpleNamespace(unit="unit-7", certificate_sha256="ab" * 32, not_after=house.clock.now())
    made = Diagnostics(settings, identity, house.unit, ring, lambda: Way("localhost", 8883, tmp_path))
    return SimpleNamespace(diagnostics=made, house=house, ring=ring)


def say(ring, text):
    ring.handle(
        logging.makeLogRecord({"msg": text, "levelno": logging.INFO, "levelname": "INFO", "name": "agent"})
    )


def files(bundle):
    with tarfile.open(fileobj=io.BytesIO(bundle.data), mode="r:gz") as tar:
        return {member.name.split("/")[1]: tar.extractfile(member).read().decode() for member in tar}


def test_the_bundle_tells_of_the_unit_and_of_no_person(made):
    (plan,) = made.house.unit.snapshot.sessions
    for text in (
        f"hej {NAME}",
        CAPTION,
        f"session {plan.sid}",
        f"at {plan.ref}",
        "code 483920",
        "811218-9876",
    ):
        say(made.ring, text)
    bundle = asyncio.run(made.diagnostics.collect())
    told = files(bundle)
    whole = "\n".join(told.values())
    for canary in (
        *NAME.split(),
        "Fågelholken",
        CAPTION,
        "Ankan",
        "483920",
        "811218",
        plan.sid,
        DIGEST,
        "c2FsdA",
    ):
        assert canary not in whole
    assert "session [person]" in told["journal.txt"]
    assert bundle.masked["person"] >= 4
    assert (bundle.masked["code"], bundle.masked["personnummer"]) == (1, 1)
    unit = json.loads(told["unit.json"])
    assert unit["schedule"]["sessions"] == 1
    assert unit["room"]["faults"] == []
    assert json.loads(told["configuration.json"])["region"]["values"]["staff"] == "(1 members of staff)"
    assert set(told) >= {"devices.json", "versions.json", "stores.json", "network.json", "about.json"}


def test_the_result_of_the_command_and_a_server_that_is_no_place_for_it(made, monkeypatch):
    sent = []
    monkeypatch.setattr(service, "put", lambda url, data, digest, **_: sent.append((url, data)))
    result = asyncio.run(made.diagnostics.collect_and_send("https://region.example/diagnostics/x"))
    ((_, data),) = sent
    assert result["bytes"] == str(len(data))
    assert len(result["digest"]) == 64
    # What the wire does not take would leave the command running for ever.
    CommandReport.model_validate({"state": "succeeded", "result": result})
    assert result["masked"].isdigit()
    with pytest.raises(UploadError):
        asyncio.run(made.diagnostics.collect_and_send("http://region.example/x"))
    assert len(sent) == 1


def test_one_collector_that_fails_is_noted(made, monkeypatch):
    def broken(_way):
        raise OSError("no network here")

    monkeypatch.setattr(service, "network_path", broken)
    bundle = asyncio.run(made.diagnostics.collect())
    assert bundle.faults == ("network.json",)
    assert "unit.json" in files(bundle)


def test_secrets_are_taken_out_at_any_depth():
    given = {
        "a": [{"pin_digest": "x", "id": "s1"}],
        "staff_pin_digest": "x",
        "network": {"proxy": "http://p:1"},
        "region_ca": "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n",
        "token": None,
    }
    assert without_secrets(given) == {
        "a": [{"pin_digest": "(set)", "id": "s1"}],
        "staff_pin_digest": "(set)",
        "network": {"proxy": "http://p:1"},
        "region_ca": "(1 certificates)",
        "token": None,
    }


def test_the_ring_is_bounded_and_repeats_no_traceback():
    ring = LogRing(lines=2)
    for number in range(3):
        say(ring, f"line {number}\nmore")
    try:
        raise ValueError("Kanarie")
    except ValueError as error:
        ring.handle(logging.makeLogRecord({"msg": "failed", "exc_info": (ValueError, error, None)}))
    assert "line 2" in ring.text()
    assert "line 1" not in ring.text()
    assert "more" not in ring.text()
    assert "Kanarie" not in ring.text()


def test_a_broker_that_is_away_and_a_name_that_is_none_are_told():
    way = Way("127.0.0.1", 9, network_path.Path("/etc/ssl/certs/ca-certificates.crt"))
    assert "fault" in network_path.broker(way)
    assert "fault" in network_path.look_up("no-such-name.invalid")


def test_devices_are_read_from_sys(tmp_path):
    for file, text in {
        "class/video4linux/video0/name": "Camera A\n",
        "class/sound/card0/id": "Device\n",
        "bus/usb/devices/1-1/idVendor": "046d\n",
        "bus/usb/devices/1-1/idProduct": "0825\n",
        "bus/usb/devices/1-1/serial": "KANARIE\n",
        "class/thermal/thermal_zone0/type": "cpu-thermal\n",
        "class/thermal/thermal_zone0/temp": "48250\n",
    }.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)
    found = machine_parts.devices(tmp_path)
    assert found["v4l2"] == {"video0": "Camera A"}
    assert found["alsa"] == {"card0": "Device"}
    assert found["usb"] == ["1-1 046d:0825"]
    assert found["temperatures_c"] == {"thermal_zone0 cpu-thermal": 48.25}
    assert "KANARIE" not in str(found)
