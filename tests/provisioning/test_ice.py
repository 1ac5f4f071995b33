"""Short-lived TURN credentials: what coturn computes from the same secret, no person in them, renewed in time."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.contract.signalling import IceServer
from provisioning.ice import IceConfiguration
from provisioning.settings import SettingsError, TurnSettings

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
STUN = IceServer(urls=("stun:stun.region.example",))


def turn(tmp_path: Path, secret: str = "a secret of the region", **values) -> TurnSettings:
    file = tmp_path / "turn.secret"
    file.write_text(secret + "\n")
    return TurnSettings(urls=("turn:turn.region.example:3478",), secret_file=file, **values)


def test_the_password_is_the_names_hmac_and_the_name_says_when_it_ends(tmp_path: Path) -> None:
    ice = IceConfiguration([STUN], turn(tmp_path, lifetime_s=3600))
    fixed, ours = ice.servers(NOW)
    assert fixed == STUN
    expires, opaque = ours.username.split(":")
    assert int(expires) == int((NOW + timedelta(hours=1)).timestamp())
    assert len(opaque) == 12
    digest = hmac.new(b"a secret of the region", ours.username.encode(), hashlib.sha1).digest()
    assert base64.b64decode(ours.credential) == digest
    assert ice.servers(NOW)[1].username != ours.username, "nothing follows one party around"
    assert ice.renew_after == timedelta(minutes=30)
    assert ours.credential not in repr(ours) and ours.username not in repr(ours)


def test_without_turn_there_is_nothing_to_renew() -> None:
    ice = IceConfiguration([STUN])
    assert (ice.servers(NOW), ice.renew_after) == ((STUN,), None)


def test_a_secret_that_cannot_be_used_stops_the_start_and_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="openssl rand"):
        IceConfiguration([], turn(tmp_path, secret="short"))
    settings = turn(tmp_path)
    settings.secret_file.unlink()
    with pytest.raises(SettingsError, match="cannot be read"):
        IceConfiguration([], settings)


@pytest.mark.parametrize(
    "url", ["stun:turn.example", "turn.example", "turns:turn.example?transport=dtls", ""]
)
def test_a_url_that_is_not_turn_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="no TURN URL"):
        TurnSettings(urls=(url,), secret_file=Path("secret"))
