"""What the kiosk takes from the agent's settings and from what the agent lays down."""

from __future__ import annotations

from pathlib import Path

import pytest

from firmware.kiosk.settings import KioskError, KioskSettings, load_settings


@pytest.fixture
def settings_file(tmp_path: Path) -> Path:
    file = tmp_path / "unit.toml"
    file.write_text('state_dir = "state"\nrun_dir = "/run/halsorum/screen"\nweb_port = 8411\nboard = "vm"\n')
    return file


def test_the_agents_own_file_says_where_its_pages_are(
    settings_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNTIME_DIRECTORY", "/run/halsorum-kiosk")
    settings = load_settings(settings_file)
    assert settings == KioskSettings(8411, Path("/run/halsorum/screen"), Path("/run/halsorum-kiosk"))
    assert settings.origin == "http://localhost:8411"
    settings_file.write_text('state_dir = "state"\n')
    bare = load_settings(settings_file, Path("/elsewhere"))
    assert (bare.port, bare.agent_folder) == (8400, settings_file.parent / "state/run")


@pytest.mark.parametrize("text", ["web_port = ", 'web_port = "8400"\nrun_dir = "x"', "run_dir = 7"])
def test_a_file_that_cannot_be_meant_is_told(settings_file: Path, text: str) -> None:
    settings_file.write_text(text)
    with pytest.raises(KioskError, match=r"unit\.toml"):
        load_settings(settings_file, Path("/somewhere"))


@pytest.mark.parametrize(("given", "patience"), [("1", 1), ("16", 16)])
def test_a_slow_machine_is_given_patience(
    settings_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, patience: int
) -> None:
    monkeypatch.setenv("HALSORUM_KIOSK_PATIENCE", given)
    assert load_settings(settings_file, tmp_path).patience == patience


@pytest.mark.parametrize("given", ["", "0", "17", "-1", "two"])
def test_patience_that_cannot_be_is_told(
    settings_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv("HALSORUM_KIOSK_PATIENCE", given)
    with pytest.raises(KioskError, match="not 1 to 16"):
        load_settings(settings_file, tmp_path)


def test_without_a_folder_there_is_no_start(settings_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    with pytest.raises(KioskError, match="--folder"):
        load_settings(settings_file)


@pytest.mark.parametrize(
    ("kept", "secret"),
    [("boot-1 s3cret", "s3cret"), ("boot-0 s3cret", None), ("boot-1", None), ("boot-1 ", None), ("", None)],
)
def test_the_secret_is_this_boots_or_none(tmp_path: Path, kept: str, secret: str | None) -> None:
    (tmp_path / "boot").write_text("boot-1\n")
    (tmp_path / "browser-secret").write_text(kept)
    settings = KioskSettings(8400, tmp_path, tmp_path)
    assert settings.secret(tmp_path / "boot") == secret
    (tmp_path / "browser-secret").unlink()
    assert settings.secret(tmp_path / "boot") is None
