"""The unit's settings: what the file says, and what the region has changed since."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.contract.status import Config


class SettingsError(ValueError):
    """The settings file cannot be used; the message names the field and what to do."""


class Settings(BaseModel):
    """The settings file (TOML). Paths may be relative to the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    state_dir: Path
    board: str = "sim"
    footage: Path | None = Field(None, description="Video with sound that the sim board plays in a loop.")
    tone_hz: float | None = Field(None, description="Mixed into the sim board's sound, for tests to find.")
    burn_clock: bool = Field(False, description="Draw a readable millisecond clock into the picture.")
    broker_host: str = "localhost"
    broker_port: int = Field(8883, ge=1, le=65535)
    ca_file: Path
    certificate_file: Path
    key_file: Path
    web_port: int = Field(8400, ge=1, le=65535)
    loopback_media: bool = Field(False, description="Offer 127.0.0.1 to remote parties: all on one machine.")
    room_name: str = "Hälsorum"
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Configuration:
    """What is in force: the file's values, overlaid by the region's (revision `rev`)."""

    rev: int
    room_name: str
    phone: str
    languages: tuple[str, ...]
    staff_pin_digest: str | None


def load_settings(file: Path) -> Settings:
    """Read and check a settings file; raises SettingsError."""
    try:
        table = tomllib.loads(file.read_text())
    except OSError as error:
        raise SettingsError(
            f"{file}: cannot be read ({error.strerror}). Give its path with --config."
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file}: is not TOML: {error}.") from error
    for name in ("state_dir", "ca_file", "certificate_file", "key_file", "footage"):
        if isinstance(table.get(name), str):
            table[name] = file.parent / table[name]
    try:
        return Settings.model_validate(table)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"{file}: {field}: {first['msg']}. Correct the line and start again.") from None


def first_configuration(settings: Settings) -> Configuration:
    """Before the region has said anything."""
    return Configuration(-1, settings.room_name, settings.phone, ("sv", "en"), None)


def overlay(current: Configuration, wanted: Config, rev: int) -> tuple[Configuration, tuple[str, ...]]:
    """The configuration with the region's wishes; or the current one, and what was wrong."""
    errors: list[str] = []
    if wanted.staff_pin_digest is not None and not wanted.staff_pin_digest.startswith("$argon2id$"):
        errors.append("staff_pin_digest: must be an argon2id digest in PHC format")
    if wanted.languages is not None and not wanted.languages:
        errors.append("languages: at least one is needed")
    if errors:
        return current, tuple(errors)
    given = {name: value for name, value in wanted if value is not None}
    return replace(current, rev=rev, **given), ()
