"""The unit's settings: what the file says, and what the region has changed since."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from agent.contract.config_check import what_is_wrong_with_ports
from agent.contract.unit_config import Config, Named, SelftestPlan, SoundOutput, StaffMember
from agent.media.media_socket import DSCP_AF41

FIRST_LANGUAGES = ("sv", "en", "fi", "ar")
BOARDS_PLAN = SelftestPlan()
"""Before each session at the usual time, and once each night."""
IceTransportPolicy = Literal["all", "relay"]
NO_FILE = Path()
SYS = Path("/sys")
PATHS = (
    *("state_dir", "run_dir", "sys_dir", "update_dir", "ca_file", "certificate_file", "key_file"),
    *("identity_dir", "footage"),
)
"""Those of the settings that may be relative to the file."""


class SettingsError(ValueError):
    """The settings file cannot be used; the message names the field and what to do."""


class Settings(BaseModel):
    """The settings file (TOML). Paths may be relative to the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    state_dir: Path
    run_dir: Path | None = Field(None, description="Outlives the agent, not the boot; none: state_dir/run.")
    sys_dir: Path = Field(
        SYS, description="Where the machine tells its temperature, voltage and touchscreen."
    )
    board: str = "sim"
    footage: Path | None = Field(None, description="Video with sound that the sim board plays in a loop.")
    tone_hz: float | None = Field(None, description="Mixed into the sim board's sound, for tests to find.")
    burn_clock: bool = Field(False, description="Draw a readable millisecond clock into the picture.")
    broker_host: str = "localhost"
    broker_port: int = Field(8883, ge=1, le=65535)
    broker_transport: Literal["tls", "alpn", "websocket"] = "tls"
    broker_path: str = Field("/mqtt", description="Of a WebSocket.")
    identity_dir: Path | None = Field(
        None, description="Folder of the unit's identities, from preparation on."
    )
    ca_file: Path = Field(NO_FILE, description="With the next two, in place of identity_dir: made by hand.")
    certificate_file: Path = NO_FILE
    key_file: Path = NO_FILE
    web_port: int = Field(8400, ge=1, le=65535)
    loopback_media: bool = Field(False, description="Offer 127.0.0.1 to remote parties: all on one machine.")
    ice_transport_policy: IceTransportPolicy = Field("all", description='"relay": media through TURN alone.')
    media_ports: str = Field("", description='Our UDP ports, as "50000-50099"; empty: any.')
    dscp: int = Field(DSCP_AF41, ge=0, le=63, description="Mark of the media's packets (RFC 2474); 0: none.")
    room_name: str = "Hälsorum"
    phone: str = ""
    update_dir: Path | None = Field(
        None,
        description="Where bundles of updates are put, on the data partition; without it none are taken.",
    )
    trial_s: float = Field(
        120.0, ge=1, le=600, description="How long a configuration has to show that the unit is well with it."
    )
    test_within_s: float = Field(
        40.0, ge=20, le=300, description="How long a self-test may take; an emulated machine takes its time."
    )

    @field_validator("media_ports")
    @classmethod
    def _is_port_range(cls, value: str) -> str:
        wrong = what_is_wrong_with_ports(value)
        if wrong:
            raise ValueError(wrong)
        return value

    @model_validator(mode="after")
    def _has_identity(self) -> Settings:
        files = (self.ca_file, self.certificate_file, self.key_file)
        if self.identity_dir is None and NO_FILE in files:
            raise ValueError("identity_dir is missing (or all of ca_file, certificate_file and key_file)")
        if self.identity_dir is not None and files != (NO_FILE,) * 3:
            raise ValueError("identity_dir stands in place of ca_file, certificate_file and key_file")
        return self

    @property
    def run_folder(self) -> Path:
        """Where the browser's secret of this boot and the screen's sign of life are."""
        return self.run_dir or self.state_dir / "run"


@dataclass(frozen=True, slots=True)
class Network:
    """How media leaves the unit; in force from the next call on."""

    ice_transport_policy: IceTransportPolicy = "all"
    media_ports: str = ""
    dscp: int = DSCP_AF41


NETWORK_FIELDS = tuple(each.name for each in fields(Network))


@dataclass(frozen=True, slots=True)
class Configuration:
    """What is in force: the file's values, overlaid by the region's (revision `rev`, -1: none of it yet)."""

    rev: int
    room_name: str
    phone: str
    languages: tuple[str, ...]
    staff_pin_digest: str | None
    network: Network = Network()
    staff: tuple[StaffMember, ...] = ()
    rooms: tuple[Named, ...] = ()
    queues: tuple[Named, ...] = ()
    sound_output: SoundOutput = "loudspeaker"
    volume: int = 4
    high_contrast: bool = False
    selftest: SelftestPlan = BOARDS_PLAN


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
    for name in PATHS:
        if isinstance(table.get(name), str):
            table[name] = file.parent / table[name]
    try:
        return Settings.model_validate(table)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        where = f"{field}: {first['msg']}" if field else first["msg"]
        raise SettingsError(f"{file}: {where}. Correct the line and start again.") from None


def first_configuration(settings: Settings) -> Configuration:
    """Before the region has said anything."""
    network = Network(settings.ice_transport_policy, settings.media_ports, settings.dscp)
    return Configuration(-1, settings.room_name, settings.phone, FIRST_LANGUAGES, None, network)


def overlay(first: Configuration, values: Config, rev: int) -> Configuration:
    """The file's configuration with what the region has set laid over it; all of it has been checked."""
    held = {each.name for each in fields(Configuration)} - {"rev", "network"}
    given = {name: value for name, value in values if value is not None and name in held}
    of_network = {name: getattr(values, name) for name in NETWORK_FIELDS if getattr(values, name) is not None}
    return replace(first, rev=rev, network=replace(first.network, **of_network), **given)


def keep_complete(
    configuration: Configuration, complete: Collection[str]
) -> tuple[Configuration, tuple[str, ...]]:
    """Leave out the languages in which the screen cannot say everything, and tell which they were."""
    kept = tuple(code for code in configuration.languages if code in complete)
    errors = tuple(
        f"languages: {code} is left out, since the screen's texts in it are not complete"
        for code in configuration.languages
        if code not in complete
    )
    return (
        replace(configuration, languages=kept or FIRST_LANGUAGES[:1]) if errors else configuration
    ), errors
