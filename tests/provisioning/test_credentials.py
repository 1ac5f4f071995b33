"""Secrets by systemd's credentials: laid over the file, under what the environment says."""

from __future__ import annotations

import pytest

from provisioning.settings import SettingsError, load_settings

SETTINGS = """
database_url = "sqlite:///region.db"
state_dir = "/var/lib/halsorum-region"
[broker]
ca_file = "ca.pem"
certificate_file = "region.pem"
key_file = "region.key"
"""


@pytest.fixture
def handed(tmp_path):
    """The settings with what systemd would have put into the credentials' folder."""
    file, folder = tmp_path / "region.toml", tmp_path / "credentials"
    file.write_text(SETTINGS)
    folder.mkdir()

    def read(files, **environ):
        for name, text in files.items():
            (folder / name).write_text(text)
        return load_settings(file, {"CREDENTIALS_DIRECTORY": str(folder), **environ})

    read.folder = folder
    return read


def test_a_value_is_read_and_a_file_is_named(handed):
    url = "postgresql+psycopg://region:secret@db/region"
    settings = handed(
        {"region_database_url": f"{url}\n", "region_broker__key_file": "PEM", "region.toml": "x"}
    )
    assert settings.database_url == url
    assert settings.broker.key_file == handed.folder / "region_broker__key_file"
    assert settings.broker.host == "localhost"


def test_the_environment_has_the_last_word(handed):
    settings = handed({"region_database_url": "sqlite:///a"}, HALSORUM_DATABASE_URL="sqlite:///b")
    assert settings.database_url == "sqlite:///b"


def test_what_is_no_setting_is_left_alone(handed):
    assert handed({"region": "none", "region_nothing__of_ours": "x"}).database_url == "sqlite:///region.db"


def test_a_secret_that_cannot_be_read_is_named(handed):
    (handed.folder / "region_database_url").mkdir()
    with pytest.raises(SettingsError, match="region_database_url"):
        handed({})
