"""What the region's service is told at start: one TOML file, each value also from the environment.

`HALSORUM_BROKER__PORT=8884` stands for `port` under `[broker]`, `HALSORUM_DATABASE_URL` for `database_url`.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from agent.contract.signalling import IceServer
from provisioning.credentials import handed_over
from provisioning.enrolment_settings import EnrolmentSettings
from provisioning.notice_settings import SmtpSettings, WebhookSettings
from provisioning.oidc_settings import OidcSettings
from web.clinic.return_to import is_beginning

PREFIX = "HALSORUM_"
DEFAULT_FILE = Path("/etc/halsorum/region.toml")
FILE_VARIABLE = "HALSORUM_SETTINGS"
REGION_NAME = re.compile(r"region(-[a-z0-9-]{1,50})?")
"""Names that the region may have at the broker. No unit may have such a one (rooms.check_unit_id): whoever has it
hears all units and speaks to all."""
_TURN_URL = re.compile(r"turns?:(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?(\?transport=(udp|tcp))?")


class SettingsError(ValueError):
    """The settings cannot be used; the text says which one and why."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BrokerSettings(_Part):
    """Where the broker is, and the region's own certificate there."""

    host: str = "localhost"
    port: int = Field(default=8883, ge=1, le=65535)
    name: str = "region"
    """The common name in the certificate: user name and client id at the broker."""
    ca_file: Path
    certificate_file: Path
    key_file: Path
    regions: tuple[str, ...] = ()
    """All names that the region's instances have at the broker, for its access rules; empty: `name` alone."""
    acl_file: Path | None = None
    """Mosquitto's access rules for units, where they lie on this machine: the worker keeps them."""
    bootstrap_acl_file: Path | None = None
    pid_file: Path | None = None
    """Of Mosquitto, which is told by SIGHUP to read its rules again."""
    reload_command: tuple[str, ...] = ()
    """Run in place of the signal, such as ["sudo", "systemctl", "reload", "mosquitto"]."""

    @field_validator("regions", "reload_command", mode="before")
    @classmethod
    def _as_tuple(cls, value: object) -> object:
        value = value.split() if isinstance(value, str) else value
        return tuple(value) if isinstance(value, list) else value

    @field_validator("name", "regions")
    @classmethod
    def _are_no_units(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        for name in (value,) if isinstance(value, str) else value:
            if not REGION_NAME.fullmatch(name):
                raise ValueError(
                    f"{name!r} could be a unit's name; write region, or one that begins with region-"
                )
        return value


class WebServerSettings(_Part):
    """Where the pages are served. Anywhere but on localhost a TLS proxy stands in front."""

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=1, le=65535)
    public_url: str = "http://127.0.0.1:8080"
    support_phone: str = ""
    """Whom a clinician calls when a call's line does not come back."""
    threads: int = Field(default=128, ge=40, le=512)
    """Each open page holds one for its feed; they are made as they are needed."""
    units_url: str = ""
    """Under which the units reach these pages to put their diagnostics, where it is another than public_url."""
    metrics_token_file: Path | None = None
    """Holds what Prometheus shows as bearer token at /metrics; without it only this machine may ask."""
    return_to: tuple[str, ...] = ()
    """Where a link may ask to be led back to, as beginnings of addresses: https://journal.example/; in the
    environment with spaces between them."""

    @field_validator("return_to", mode="before")
    @classmethod
    def _as_tuple(cls, value: object) -> object:
        return tuple(value.split()) if isinstance(value, str) else value

    @field_validator("return_to")
    @classmethod
    def _are_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for address in value:
            if not is_beginning(address):
                raise ValueError(f"{address!r} is no https address such as https://journal.example/")
        return value


class TurnSettings(_Part):
    """The region's TURN servers, which know the secret in the file (coturn: static-auth-secret)."""

    urls: tuple[str, ...] = Field(min_length=1)
    """As in turn:turn.region.example:3478, ...?transport=tcp, turns:turn.region.example:443 (RFC 7065); in the
    environment with spaces between them."""
    secret_file: Path
    lifetime_s: int = Field(default=4 * 3600, ge=60, le=7 * 86_400)
    """How long credentials are good. They are renewed at half of it; a server may end what outlives them."""

    @field_validator("urls", mode="before")
    @classmethod
    def _as_tuple(cls, value: object) -> object:
        value = value.split() if isinstance(value, str) else value
        return tuple(value) if isinstance(value, list) else value

    @field_validator("urls")
    @classmethod
    def _are_turn(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for url in value:
            if not _TURN_URL.fullmatch(url):
                raise ValueError(f"{url!r} is no TURN URL; write turn:HOST:PORT or turns:HOST:PORT")
        return value


class RegionSettings(_Part):
    """All of it."""

    database_url: str
    state_dir: Path
    timezone: str = "Europe/Stockholm"
    log_level: str = "INFO"
    quality_days: int = Field(default=30, ge=1, le=366)
    """How long the quality figures of calls are kept."""
    diagnostics_days: int = Field(default=14, ge=1, le=90)
    """How long units' bundles of diagnostics are kept."""
    broker: BrokerSettings
    enrolment: EnrolmentSettings | None = None
    """How units come in; without it nobody does."""
    web: WebServerSettings = WebServerSettings()
    ice_servers: tuple[IceServer, ...] = ()
    """Servers without credentials of ours, such as stun:; in the form of W3C's RTCIceServer."""
    turn: TurnSettings | None = None
    smtp: SmtpSettings | None = None
    webhook: WebhookSettings | None = None
    """How clinics are told of rooms that are not ready; without, that way is closed."""
    oidc: OidcSettings | None = None
    """The region's OpenID provider; without it there are local accounts alone."""
    ice_transport_policy: Literal["all", "relay"] = "all"
    """For the pages; a unit has its own."""

    @field_validator("ice_servers", mode="before")
    @classmethod
    def _as_tuple(cls, value: object) -> object:
        if not isinstance(value, list):
            return value
        return tuple(
            {**item, "urls": tuple(item.get("urls", ()))} for item in value if isinstance(item, dict)
        )

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError("is not the name of a time zone") from None
        return value

    @property
    def diagnostics_dir(self) -> Path:
        """Where units' bundles are kept."""
        return self.state_dir / "diagnostics"

    @property
    def units_url(self) -> str:
        """Where units put what is too large for a message."""
        return self.web.units_url or self.web.public_url

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which days begin and times are shown."""
        return ZoneInfo(self.timezone)


def load_settings(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> RegionSettings:
    """Read the file (given, or named by HALSORUM_SETTINGS) and what the environment sets over it.

    Raises SettingsError, which names the file or the setting.
    """
    file = path or Path(environ.get(FILE_VARIABLE, str(DEFAULT_FILE)))
    try:
        values = tomllib.loads(file.read_text())
        secrets = {f"{PREFIX}{name.upper()}": text for name, text in handed_over(environ).items()}
    except OSError as error:
        unread = error.filename or file
        raise SettingsError(f"The settings file {unread} cannot be read: {error.strerror}.") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"The settings file {file} is not TOML: {error}.") from None
    _overlay(values, {**secrets, **environ})
    try:
        return RegionSettings.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"{file}: {name}: {first['msg']}.") from None


def _overlay(values: dict[str, Any], environ: Mapping[str, str]) -> None:
    for name, text in environ.items():
        if not name.startswith(PREFIX) or name == FILE_VARIABLE:
            continue
        *tables, key = name.removeprefix(PREFIX).lower().split("__")
        if (
            tables and tables[0] not in {"broker", "enrolment", "web", "turn", "oidc", "smtp", "webhook"}
        ) or (not tables and key not in RegionSettings.model_fields):
            continue
        target = values
        for table in tables:
            target = target.setdefault(table, {})
        target[key] = text
