"""The files that root's services read: what stands in them, and what cannot get into them."""

from __future__ import annotations

import configparser
import json
from pathlib import Path

import pytest

from firmware.wired import Credentials, WiredError, parse, render

CREDENTIALS = Credentials(Path("certificate.pem"), Path("key.pem"), Path("ca.pem"), "ab12")
STATIC = {"method": "static", "address": "192.0.2.10/24", "gateway": "192.0.2.1", "dns": ["192.0.2.53"]}


def files(**values):
    return render(parse(json.dumps(values)), CREDENTIALS)


def ini(text):
    parsed = configparser.ConfigParser(strict=False, interpolation=None)
    parsed.optionxform = str
    parsed.read_string(text)
    return {name: dict(parsed[name]) for name in parsed.sections()}


def test_dhcp_leaves_all_to_the_network():
    [(path, text)] = files().items()
    assert path == "systemd/network/05-halsorum.network"
    read = ini(text)
    assert (read["Match"]["Name"], read["Network"]["DHCP"], read["DHCPv4"]["UseDNS"]) == (
        "eth0",
        "yes",
        "yes",
    )


def test_own_name_and_time_servers_hold_over_those_of_dhcp():
    written = files(dns=["192.0.2.53", "2001:db8::53"], ntp=["ntp.example"])
    text = written["systemd/network/05-halsorum.network"]
    assert "DNS=192.0.2.53\nDNS=2001:db8::53\nNTP=ntp.example\n" in text
    assert ini(text)["DHCPv4"] == {"UseDNS": "no", "UseNTP": "no"}
    assert ini(written["systemd/timesyncd.conf.d/halsorum.conf"])["Time"] == {
        "NTP": "ntp.example",
        "FallbackNTP": "",
    }
    resolved = ini(written["systemd/resolved.conf.d/halsorum.conf"])["Resolve"]
    assert resolved == {"DNS": "192.0.2.53 2001:db8::53", "FallbackDNS": ""}


def test_a_static_address():
    read = ini(files(**STATIC)["systemd/network/05-halsorum.network"])["Network"]
    assert (read["Address"], read["Gateway"], read["DHCP"]) == ("192.0.2.10/24", "192.0.2.1", "no")


def test_on_a_vlan_the_wire_itself_has_no_address():
    written = files(**STATIC, vlan=40, interface="enp1s0")
    wire = ini(written["systemd/network/05-halsorum.network"])
    assert (wire["Match"]["Name"], wire["Network"]["VLAN"]) == ("enp1s0", "enp1s0.40")
    assert "Address" not in wire["Network"]
    assert ini(written["systemd/network/05-halsorum-vlan.netdev"])["VLAN"] == {"Id": "40"}
    above = ini(written["systemd/network/06-halsorum-vlan.network"])
    assert (above["Match"]["Name"], above["Network"]["Address"]) == ("enp1s0.40", "192.0.2.10/24")


def test_8021x_shows_the_units_own_certificate():
    text = files(eap_tls="unit-7")["halsorum-network/8021x-eth0.conf"]
    lines = [line.strip() for line in text.splitlines()]
    assert {
        "eap=TLS",
        'identity="unit-7"',
        'private_key="/run/credentials/halsorum-wired@eth0.service/key.pem"',
        'ca_cert="/run/credentials/halsorum-wired@eth0.service/ca.pem"',
    } <= set(lines)
    assert "# certificate ab12" in lines


def test_what_the_wire_says_besides_is_not_the_networks():
    assert parse(json.dumps({**STATIC, "proxy": "http://proxy.example:3128"})).address == "192.0.2.10/24"


@pytest.mark.parametrize(
    "values",
    [
        {"interface": "eth0\n[Network]"},
        {"interface": "../x"},
        {"dns": ["192.0.2.53\nDomains=evil"]},
        {"ntp": ["ntp.example evil"]},
        {"eap_tls": 'unit"\n\tprivate_key="/etc/shadow'},
        {**STATIC, "address": "192.0.2.10/24\nGateway=1.1.1.1"},
        {**STATIC, "address": "fe80::1%\nDomains=evil/64"},
        {**STATIC, "gateway": "fe80::1%\nDomains=evil"},
        {"dns": ["fe80::1%\nDomains=evil"]},
        {**STATIC, "gateway": None},
        {"method": "static"},
        {"vlan": "40"},
        [],
    ],
)
def test_nothing_else_gets_into_a_file(values):
    with pytest.raises(WiredError) as caught:
        parse(json.dumps(values))
    assert "evil" not in str(caught.value)
