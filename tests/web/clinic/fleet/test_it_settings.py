"""What is set on units and groups: read, checked, said at its field, and never lost."""

from __future__ import annotations

import re

import pytest
from argon2 import PasswordHasher
from clinic_fakes import CANARY
from werkzeug.datastructures import MultiDict

from agent.contract.unit_config import Config
from web.clinic.fleet.settings_form import SECTIONS, changes, read, written
from web.clinic.services import Refused

EVERYTHING = {
    "room": {"room_name": "Rum 1", "phone": "010", "languages": ["sv", "fi"]},
    "screen": {"sound_output": "headphones", "volume": 3, "high_contrast": False,
               "screen": {"width_mm": 220.5, "height_mm": 140.0}},
    "devices": {"devices": {"camera": "/dev/video2", "microphone": "alsa_input.usb"}},
    "selftest": {"selftest": {"before_minutes": 10, "at": ["03:30", "12:15"]}},
    "panel": {"panel": {"camera_lamp": 17, "buzzer": -1}},
    "media": {"ice_transport_policy": "relay", "media_ports": "50000-50099", "dscp": 0},
    "network": {"network": {"method": "static", "address": "192.0.2.10/24", "gateway": "192.0.2.1",
                            "dns": ["192.0.2.53"], "vlan": 120, "proxy": "http://proxy.example:3128"}},
    "broker": {"broker": {"host": "broker.example", "port": 443, "transport": "websocket", "path": "/mqtt"}},
}  # fmt: skip


def post(config: dict, section: str) -> MultiDict[str, str]:
    return MultiDict(
        [(path, one) for path, texts in written(config, SECTIONS[section]).items() for one in texts]
    )


def seen(browser, path: str) -> str:
    return re.search(r'name="seen" value="([^"]+)"', browser.get(path).text)[1]


@pytest.mark.parametrize("section", SECTIONS)
def test_what_a_form_shows_is_what_it_sets(section):
    config = EVERYTHING[section]
    filled = read(post(config, section), SECTIONS[section])
    assert filled.wrong == {}
    assert {name: value for name, value in filled.values.items() if value is not None} == config
    assert changes(filled.values, config) == {}


@pytest.mark.parametrize("section", SECTIONS)
def test_an_empty_form_gives_all_back(section):
    filled = read(MultiDict(), SECTIONS[section])
    assert not filled.wrong
    assert set(filled.values.values()) == {None}
    assert "staff_pin_digest" not in filled.values


def test_every_field_of_the_form_is_one_of_the_contract():
    for field in (field for fields in SECTIONS.values() for field in fields):
        top, _, inner = field.path.partition(".")
        model = Config.model_fields[top].annotation
        assert not inner or any(inner in getattr(one, "model_fields", {}) for one in model.__args__)


@pytest.mark.parametrize(
    ("section", "form", "path"),
    [
        ("room", {"room_name": "x" * 121}, "room_name"),
        ("screen", {"volume": "9"}, "volume"),
        ("screen", {"high_contrast": "perhaps"}, "high_contrast"),
        ("screen", {"screen.width_mm": "1e999", "screen.height_mm": "100"}, "screen.width_mm"),
        ("screen", {"screen.width_mm": "200"}, "screen.height_mm"),
        ("screen", {"screen.width_mm": "wide", "screen.height_mm": "100"}, "screen.width_mm"),
        ("selftest", {"selftest.at": "25:00"}, "selftest.at"),
        ("selftest", {"selftest.before_minutes": "٣٠"}, "selftest.before_minutes"),
        ("panel", {"panel.buzzer": "28"}, "panel.buzzer"),
        ("panel", {"panel.buzzer": "4", "panel.help_lamp": "4"}, "panel.buzzer"),
        ("media", {"dscp": "64"}, "dscp"),
        ("media", {"dscp": "-"}, "dscp"),
        ("media", {"media_ports": "1-2"}, "media_ports"),
        ("network", {"network.method": "static", "network.address": "10.0.0.300/24"}, "network.address"),
        ("network", {"network.vlan": "4095"}, "network.vlan"),
        ("network", {"network.method": "pigeon"}, "network.method"),
        ("broker", {"broker.host": "a b"}, "broker.host"),
        ("broker", {"broker.host": "a", "broker.port": "9" * 30}, "broker.port"),
        ("broker", {"region_ca": "no certificate"}, "region_ca"),
        ("broker", {"region_ca": "x" * 20_001}, "region_ca"),
        ("room", {"staff_pin_digest": "1111"}, "staff_pin_digest"),
        ("room", {"staff_pin_digest": "١٢٣٤"}, "staff_pin_digest"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(ivar, fleet, section, form, path):
    at = f"/it/unit/u-015/config/{section}"
    answer = ivar.post(at, seen=seen(ivar, at), **form)
    assert answer.status_code == 422
    assert f'id="{path.replace(".", "-")}-problem"' in answer.text
    assert fleet.calls == []
    for name, value in form.items():
        shown = value in answer.text
        assert shown == (name != "staff_pin_digest") or name in ("volume", "high_contrast", "network.method")


def test_only_what_has_changed_is_set_and_origins_are_said(ivar, fleet):
    at = "/it/unit/u-015/config/room"
    answer = ivar.post(at, seen=seen(ivar, at), phone="010-1", languages=["sv", "ar"])
    assert answer.headers["Location"] == "/it/unit/u-015/config?said=set"
    ivar.post(at, seen=seen(ivar, at), phone="010-1", room_name="Nya rummet")
    assert [call[2] for call in fleet.calls] == [
        {"phone": "010-1", "languages": ["sv", "ar"]},
        {"room_name": "Nya rummet", "languages": None},
    ]
    page = ivar.get("/it/unit/u-015/config").text
    assert "satt på enheten" in page
    assert "från gruppen kusten" in page
    same = ivar.post(at, seen=seen(ivar, at), phone="010-1", room_name="Nya rummet")
    assert same.headers["Location"].endswith("said=unchanged")


def test_a_form_that_is_older_than_a_colleagues_change_is_not_saved_over_it(ivar, fleet):
    at = "/it/unit/u-015/config/media"
    old = seen(ivar, at)
    ivar.post(at, seen=old, dscp="10")
    late = ivar.post(at, seen=old, dscp="20")
    assert late.status_code == 409
    assert "Någon annan ändrade" in late.text
    assert 'value="20"' in late.text
    assert "Nu: 10" in late.text
    again = re.search(r'name="seen" value="([^"]+)"', late.text)[1]
    assert ivar.post(at, seen=again, dscp="20").status_code == 303
    assert fleet.own["u-015"] == {"dscp": 20}


def test_a_pin_is_sent_as_a_digest_and_shown_nowhere(ivar, fleet):
    at = "/it/unit/u-015/config/room"
    ivar.post(at, seen=seen(ivar, at), staff_pin_digest="730518")
    digest = fleet.calls[0][2]["staff_pin_digest"]
    assert PasswordHasher().verify(digest, "730518")
    for path in (at, "/it/unit/u-015/config", "/it/unit/u-015/history"):
        assert "argon2" not in ivar.get(path).text
        assert "730518" not in ivar.get(path).text


@pytest.mark.parametrize(
    ("refused", "field", "words"),
    [
        (Refused("network.gateway", "is not in the address's network 192.0.2.0/24"), "network-gateway",
         "ligger inte i enhetens nätverk"),
        (Refused("network", "would cut off IT"), "network-method", "would cut off IT"),
        (Refused("unit", "is busy"), "form", "is busy"),
        (Refused("network.dns", CANARY), "network-dns", "&lt;script"),
    ],
)  # fmt: skip
def test_what_the_region_refuses_is_said_at_its_field(ivar, fleet, refused, field, words):
    at = "/it/unit/u-015/config/network"
    fleet.refuse["set_config"] = refused
    answer = ivar.post(at, seen=seen(ivar, at), **{"network.vlan": "120"})
    assert answer.status_code == 422
    assert f'id="{field}-problem"' in answer.text
    assert words in answer.text
    assert CANARY not in answer.text
    assert 'value="120"' in answer.text


@pytest.mark.parametrize("section", ["network", "broker"])
def test_what_can_cut_a_unit_off_is_warned_of(ivar, section):
    page = ivar.get(f"/it/unit/u-015/config/{section}").text
    assert "kan stänga ute enheten" in page
    assert "inom två minuter" in page


def test_there_is_no_such_section_and_no_such_unit(ivar):
    assert ivar.get("/it/unit/u-015/config/nothing").status_code == 404
    assert ivar.post("/it/unit/nobody/config/room").status_code == 404


def test_a_group_is_made_filled_set_and_dropped(ivar, fleet):
    made = ivar.post("/it/groups", name="kusten", about=CANARY, rank="-5")
    assert made.headers["Location"] == "/it/groups/kusten"
    ivar.post("/it/groups/kusten/members", add="u-015, u-016 u-015\nu-017")
    ivar.post("/it/groups/kusten/members", remove=["u-016"])
    at = "/it/groups/kusten/config/media"
    ivar.post(at, seen=seen(ivar, at), dscp="46")
    page = ivar.get("/it/groups/kusten").text
    assert re.findall(r'data-unit="([^"]+)"', page) == ["u-015", "u-017"]
    assert "DSCP-märkning" in page
    assert CANARY not in page
    assert ivar.post("/it/groups/kusten/drop").status_code == 422
    ivar.post("/it/groups/kusten/drop", sure="yes")
    assert [call[0] for call in fleet.calls] == [
        *("make_group", "set_members", "set_members", "set_group_config", "drop_group")
    ]
    assert ivar.get("/it/groups/kusten").status_code == 404


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "a/b"}, "name"),
        ({"name": "Åre"}, "name"),
        ({"name": "x" * 41}, "name"),
        ({"name": "a", "about": "x" * 201}, "about"),
        ({"name": "a", "rank": "high"}, "rank"),
        ({"name": "a", "rank": "1001"}, "rank"),
        ({"name": "a", "rank": "٣"}, "rank"),
    ],
)
def test_a_group_that_cannot_be(ivar, fleet, form, field):
    answer = ivar.post("/it/groups", **form)
    assert answer.status_code == 422
    assert f'id="{field}-problem"' in answer.text
    assert fleet.calls == []


def test_a_unit_that_is_not_there_cannot_join_and_the_list_stays(ivar, fleet):
    ivar.post("/it/groups", name="kusten")
    answer = ivar.post("/it/groups/kusten/members", add="u-015 nobody")
    assert answer.status_code == 422
    assert "u-015 nobody" in answer.text
    assert fleet.all_groups["kusten"].units == 0
