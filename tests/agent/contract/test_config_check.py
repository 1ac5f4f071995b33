"""Configurations that work, and those that would lock IT out: each refused at its field."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from agent.contract import ContractError, decode
from agent.contract.config_check import what_is_wrong
from agent.contract.config_check_network import proxy_address
from agent.contract.samples import load
from agent.contract.unit_config import Config

DIGEST = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaGhhc2g"
STATIC = {"method": "static", "address": "192.0.2.10/24", "gateway": "192.0.2.1", "dns": ["192.0.2.53"]}


def certificate(*, ca: bool | None = True, key: Any = None) -> str:
    key = key or ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Region")])
    now = datetime(2026, 1, 1, tzinfo=UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=3650))
    )
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def config(**values: object) -> Config:
    return Config.model_validate_json(json.dumps(values))


def fields(**values: object) -> set[str]:
    return {field for field, _ in what_is_wrong(config(**values))}


def test_every_good_sample_is_found_good() -> None:
    found = [sample for sample in load("ok") if sample.topic.endswith("dn/config")]
    assert len(found) >= 4
    for sample in found:
        assert what_is_wrong(decode(sample.topic, sample.payload).data) == (), sample.name


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"network": STATIC},
        {"network": {**STATIC, "address": "2001:db8::10/64", "gateway": "fe80::1", "dns": ["2001:db8::53"]}},
        {"network": {**STATIC, "address": "192.0.2.10/31", "gateway": "192.0.2.11"}},
        {
            "network": {
                "method": "dhcp",
                "vlan": 40,
                "eap_tls": "unit-7",
                "proxy": "http://proxy.example:3128",
            }
        },
        {"broker": {"host": "2001:db8::1", "port": 443, "transport": "alpn"}},
        {"broker": {"host": "mqtt.example", "port": 443, "transport": "websocket", "path": "/ws"}},
        {"region_ca": ""},
        {"region_ca": certificate() + certificate()},
        {"panel": {"door_lamp": 17, "buzzer": -1, "help_lamp": -1}},
        {"selftest": {"before_minutes": 20, "at": ["23:55", "00:05"]}},
        {"screen": {"width_mm": 136, "height_mm": 217}},
        {"devices": {"camera": "/dev/v4l/by-id/usb-cam", "microphone": "alsa_input.usb-jack"}},
        {"languages": ["sv", "se"], "media_ports": "50000-50099", "phone": "", "staff_pin_digest": DIGEST},
    ],
)
def test_what_works_is_let_through(values: dict[str, object]) -> None:
    assert what_is_wrong(config(**values)) == ()


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("room_name", {"room_name": " "}),
        ("phone", {"phone": "08\n123"}),
        ("languages", {"languages": []}),
        ("languages", {"languages": ["Svenska"]}),
        ("languages", {"languages": ["sv", "sv"]}),
        ("staff_pin_digest", {"staff_pin_digest": "4711"}),
        ("staff_pin_digest", {"staff_pin_digest": DIGEST.replace("65536", "9999999")}),
        ("staff.pin_digest", {"staff": [{"id": "a", "label": "A", "pin_digest": "$argon2id$x"}]}),
        ("staff.id", {"staff": [{"id": "a", "label": name, "pin_digest": DIGEST} for name in "AB"]}),
        ("staff.label", {"staff": [{"id": one, "label": "AB", "pin_digest": DIGEST} for one in "ab"]}),
        ("rooms.id", {"rooms": [{"id": "r", "name": "1"}, {"id": "r", "name": "2"}]}),
        ("media_ports", {"media_ports": "60000-50000"}),
        ("media_ports", {"media_ports": "1000-2000"}),
        ("devices.camera", {"devices": {"camera": "/etc/passwd"}}),
        ("devices.camera", {"devices": {"camera": "/dev/../etc/passwd"}}),
        ("devices.hand_camera", {"devices": {"camera": "/dev/video0", "hand_camera": "/dev/video0"}}),
        ("devices.microphone", {"devices": {"microphone": "/dev/snd/pcm"}}),
        ("screen", {"screen": {"width_mm": 2000, "height_mm": 60}}),
        ("selftest.at", {"selftest": {"at": ["03:30", "03:30"]}}),
        ("selftest.at", {"selftest": {"at": ["23:58", "00:02"]}}),
        ("panel.help_lamp", {"panel": {"door_lamp": 17, "help_lamp": 17}}),
        ("network.address", {"network": {**STATIC, "address": "192.0.2.10"}}),
        ("network.address", {"network": {**STATIC, "address": "192.0.2.0/24"}}),
        ("network.address", {"network": {**STATIC, "address": "2001:db8::10%\n[Match]/64"}}),
        ("network.address", {"network": {**STATIC, "address": "192.0.2.255/24"}}),
        ("network.address", {"network": {**STATIC, "address": "0.0.0.0/0"}}),
        ("network.address", {"network": {"method": "dhcp", "address": "192.0.2.10/24"}}),
        ("network.gateway", {"network": {**STATIC, "gateway": None}}),
        ("network.gateway", {"network": {**STATIC, "gateway": "198.51.100.1"}}),
        ("network.gateway", {"network": {**STATIC, "gateway": "192.0.2.10"}}),
        ("network.gateway", {"network": {**STATIC, "gateway": "192.0.2.255"}}),
        ("network.dns", {"network": {**STATIC, "dns": []}}),
        ("network.dns", {"network": {**STATIC, "dns": ["dns.example"]}}),
        ("network.ntp", {"network": {"ntp": ["256.0.0.1"]}}),
        ("network.interface", {"network": {"interface": "lo"}}),
        ("network.interface", {"network": {"interface": "enp0s31f6abcd", "vlan": 4000}}),
        ("network.eap_tls", {"network": {"eap_tls": 'unit"\nkey_mgmt=NONE'}}),
        ("network.proxy", {"network": {"proxy": "socks5://proxy.example:1080"}}),
        ("network.proxy", {"network": {"proxy": "http://me:secret@proxy.example:3128"}}),
        ("network.proxy", {"network": {"proxy": "http://proxy.example"}}),
        ("network.proxy", {"network": {"proxy": "http://proxy.example:99999"}}),
        ("broker.host", {"broker": {"host": "mqtt..example"}}),
        ("broker.host", {"broker": {"host": "300.1.1.1"}}),
        ("broker.host", {"broker": {"host": "224.0.0.1"}}),
        ("broker.port", {"broker": {"host": "mqtt.example", "port": 1883}}),
        ("broker.path", {"broker": {"host": "mqtt.example", "path": "/ws"}}),
        ("region_ca", {"region_ca": "no certificate"}),
        ("region_ca", {"region_ca": certificate(ca=False)}),
        ("region_ca", {"region_ca": certificate(ca=None)}),
        ("region_ca", {"region_ca": certificate(key=rsa.generate_private_key(65537, 1024))}),
        ("region_ca", {"region_ca": certificate() + "-----BEGIN EC PRIVATE KEY-----\n"}),
    ],
)
def test_what_would_lock_out_is_refused_at_its_field(field: str, values: dict[str, object]) -> None:
    assert fields(**values) == {field}


def test_the_reason_tells_no_digest() -> None:
    reasons = " ".join(reason for _, reason in what_is_wrong(config(staff_pin_digest="4711-hemlig")))
    assert "4711" not in reasons


def test_what_the_wire_refuses_never_gets_here() -> None:
    with pytest.raises(ContractError):
        decode("hr/v1/u/unit-7/dn/config", b'{"v":1,"data":{"network":{"vlan":5000}}}')


def test_a_proxys_address() -> None:
    assert proxy_address("http://proxy.example:3128") == ("proxy.example", 3128)
    assert proxy_address("http://[2001:db8::1]:8080/") == ("2001:db8::1", 8080)
