"""`[oidc]` as it stands in region.toml, on its way to the pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioning.oidc_client import oidc_client
from provisioning.settings import RegionSettings, SettingsError, load_settings

REGION = """
database_url = "sqlite://"
state_dir = "/tmp"
[broker]
ca_file = "a"
certificate_file = "b"
key_file = "c"
[web]
return_to = ["https://journal.example/"]
[oidc]
issuer = "https://id.example"
client_id = "halsorum"
client_secret_file = "{folder}/oidc.secret"
{more}
[oidc.roles]
"video" = "clinician"
"""


def settings(folder: Path, more: str = "", environ: dict[str, str] | None = None) -> RegionSettings:
    (folder / "region.toml").write_text(REGION.format(folder=folder, more=more))
    return load_settings(folder / "region.toml", environ or {})


def test_what_the_file_says_reaches_the_pages(tmp_path: Path) -> None:
    (tmp_path / "oidc.secret").write_text(" the secret \n")
    made = oidc_client(
        settings(tmp_path, 'acr_values = ["loa3"]', {"HALSORUM_OIDC__SCOPES": "openid hsa"}).oidc
    )
    assert made is not None
    assert (made.client_secret, made.acr_values, made.scopes) == ("the secret", ("loa3",), ("openid", "hsa"))
    assert "the secret" not in repr(made)
    assert oidc_client(None) is None


@pytest.mark.parametrize(("content", "word"), [(None, "cannot be read"), ("  \n", "is empty")])
def test_a_secret_that_is_not_there_is_said_at_start(tmp_path: Path, content: str | None, word: str) -> None:
    if content is not None:
        (tmp_path / "oidc.secret").write_text(content)
    with pytest.raises(SettingsError, match=word):
        oidc_client(settings(tmp_path).oidc)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ('issuer_ = "x"', "oidc.issuer_"),
        ('scopes = ["profile"]', "oidc.scopes"),
        ("clock_skew_s = -1", "oidc.clock_skew_s"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, more: str, field: str) -> None:
    with pytest.raises(SettingsError, match=field):
        settings(tmp_path, more)


def test_authorities_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"oidc\.ca_file"):
        oidc_client(settings(tmp_path, 'ca_file = "/nowhere.pem"').oidc)


def test_where_links_may_lead_back_to_is_checked(tmp_path: Path) -> None:
    given = settings(tmp_path, environ={"HALSORUM_WEB__RETURN_TO": "https://a.example/ https://b.example/x/"})
    assert given.web.return_to == ("https://a.example/", "https://b.example/x/")
    with pytest.raises(SettingsError, match=r"web\.return_to"):
        settings(tmp_path, environ={"HALSORUM_WEB__RETURN_TO": "http://a.example/"})
