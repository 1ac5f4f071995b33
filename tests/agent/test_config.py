"""The settings file, and what the region lays over it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.config import Network, SettingsError, first_configuration, keep_complete, load_settings, overlay
from agent.contract.unit_config import Config, SelftestPlan
from agent.media.media_socket import DSCP_AF41

NEEDED = (
    'state_dir = "state"\nca_file = "ca.pem"\ncertificate_file = "/etc/unit.pem"\nkey_file = "unit.key"\n'
)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "unit.toml"


def test_paths_are_taken_from_where_the_file_is(file):
    file.write_text(NEEDED)
    settings = load_settings(file)
    assert settings.ca_file == file.parent / "ca.pem"
    assert str(settings.certificate_file) == "/etc/unit.pem"
    assert (settings.board, settings.broker_port, settings.footage) == ("sim", 8883, None)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (NEEDED + "broker_port = 0\n", "broker_port: "),
        (NEEDED + "brokr_port = 1\n", "brokr_port: "),
        (NEEDED + 'media_ports = "50099-50000"\n', "media_ports: .*the lower first"),
        (NEEDED + 'ice_transport_policy = "direct"\n', "ice_transport_policy: "),
        (NEEDED + "state_dir = 1\n", "is not TOML"),
        (NEEDED.replace('"ca.pem"', "7"), "ca_file: "),
        ("", "state_dir: "),
    ],
)
def test_a_bad_line_is_named_with_the_file(file, text, complaint):
    file.write_text(text)
    with pytest.raises(SettingsError, match=complaint) as caught:
        load_settings(file)
    assert str(file) in str(caught.value)


def test_a_file_that_is_not_there_says_how_to_give_another(file):
    with pytest.raises(SettingsError, match="--config"):
        load_settings(file)


@pytest.fixture
def configuration(file):
    file.write_text(NEEDED + 'room_name = "Rum 4"\nphone = "08-123"\n')
    return first_configuration(load_settings(file))


def test_the_region_changes_what_it_names_and_nothing_else(configuration):
    wanted = overlay(configuration, Config(languages=("fi",), volume=2), 7)
    assert (wanted.rev, wanted.room_name, wanted.phone) == (7, "Rum 4", "08-123")
    assert (wanted.languages, wanted.volume, wanted.selftest) == (("fi",), 2, SelftestPlan())


def test_a_language_whose_texts_are_not_complete_is_left_out_and_told(configuration):
    wanted = overlay(configuration, Config(languages=("se", "fi", "so")), 7)
    kept, errors = keep_complete(wanted, {"sv", "en", "fi"})
    assert kept.languages == ("fi",)
    assert [error.split(" is ")[0] for error in errors] == ["languages: se", "languages: so"]
    assert keep_complete(kept, {"sv", "fi"}) == (kept, ())
    none_left, _ = keep_complete(replace(wanted, languages=("se",)), {"sv", "en"})
    assert none_left.languages == ("sv",)


def test_the_network_is_set_in_the_file_and_by_the_region(file):
    file.write_text(NEEDED + 'media_ports = "50000-50099"\nice_transport_policy = "relay"\n')
    first = first_configuration(load_settings(file))
    assert first.network == Network("relay", "50000-50099", DSCP_AF41)
    changed = overlay(first, Config(ice_transport_policy="all", dscp=0), 3)
    assert changed.network == Network("all", "50000-50099", 0)
    freed = overlay(first, Config(media_ports=""), 4)
    assert freed.network == Network("relay", "", DSCP_AF41)
