"""The settings file, and what the region lays over it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.config import Network, SettingsError, first_configuration, keep_complete, load_settings, overlay
from agent.contract.unit_config import Config
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
    wanted, errors = overlay(configuration, Config(languages=("fi",), staff_pin_digest="$argon2id$v=19$x"), 7)
    assert errors == ()
    assert (wanted.rev, wanted.room_name, wanted.phone) == (7, "Rum 4", "08-123")
    assert (wanted.languages, wanted.staff_pin_digest) == (("fi",), "$argon2id$v=19$x")


def test_a_configuration_with_a_fault_is_refused_whole_and_each_fault_named(configuration):
    kept, errors = overlay(configuration, Config(phone="1", languages=(), staff_pin_digest="4711"), 8)
    assert kept is configuration
    assert [error.split(":")[0] for error in errors] == ["staff_pin_digest", "languages"]
    assert "4711" not in repr(errors)


def test_a_language_whose_texts_are_not_complete_is_left_out_and_told(configuration):
    wanted, _ = overlay(configuration, Config(languages=("se", "fi", "so")), 7)
    kept, errors = keep_complete(wanted, {"sv", "en", "fi"})
    assert kept.languages == ("fi",)
    assert [error.split(" is ")[0] for error in errors] == ["languages: se", "languages: so"]
    assert keep_complete(kept, {"sv", "fi"}) == (kept, ())
    none_left, _ = keep_complete(replace(wanted, languages=("se",)), {"sv", "en"})
    assert none_left.languages == ("sv",)


def test_the_network_is_set_in_the_file_and_by_the_region_and_bad_ports_are_refused(file):
    file.write_text(NEEDED + 'media_ports = "50000-50099"\nice_transport_policy = "relay"\n')
    first = first_configuration(load_settings(file))
    assert first.network == Network("relay", "50000-50099", DSCP_AF41)
    changed, errors = overlay(first, Config(ice_transport_policy="all", dscp=0), 3)
    assert (changed.network, errors) == (Network("all", "50000-50099", 0), ())
    freed, errors = overlay(changed, Config(media_ports=""), 4)
    assert (freed.network.media_ports, errors) == ("", ())
    kept, errors = overlay(freed, Config(media_ports="60000-50000"), 5)
    assert kept is freed
    assert errors[0].startswith("media_ports: ")
