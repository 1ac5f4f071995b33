"""What can be set on a unit, as a form: which fields, how each is written, and what a filled form sets. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from argon2 import PasswordHasher
from pydantic import ValidationError
from werkzeug.datastructures import MultiDict

from agent.contract.config_check import what_is_wrong
from agent.contract.unit_config import Config, PanelPins

Kind = Literal["text", "long", "number", "decimal", "choice", "many", "switch", "list", "pin"]
MAX_CHARS = 20_000
LANGUAGES = ("sv", "en", "fi", "ar", "so", "se")
PIN = "staff_pin_digest"


@dataclass(frozen=True, slots=True)
class Field:
    """One field; `path` is where it stands in agent.contract.unit_config.Config."""

    path: str
    kind: Kind = "text"
    options: tuple[str, ...] = ()

    @property
    def top(self) -> str:
        """The field of Config itself."""
        return self.path.partition(".")[0]

    @property
    def id(self) -> str:
        """For the page: a dot has a meaning in selectors."""
        return self.path.replace(".", "-")


def _of(top: str, *names: str, kind: Kind = "text") -> tuple[Field, ...]:
    return tuple(Field(f"{top}.{name}", kind) for name in names)


PANEL_PINS = tuple(name for name in PanelPins.model_fields if name != "chip")
SECTIONS: dict[str, tuple[Field, ...]] = {
    "room": (
        Field("room_name"),
        Field("phone"),
        Field("languages", "many", LANGUAGES),
        Field(PIN, "pin"),
    ),
    "screen": (
        Field("sound_output", "choice", ("loudspeaker", "headphones", "hearing_loop")),
        Field("volume", "choice", ("1", "2", "3", "4", "5")),
        Field("high_contrast", "switch"),
        *_of("screen", "width_mm", "height_mm", kind="decimal"),
    ),
    "devices": _of("devices", "camera", "hand_camera", "microphone", "loudspeaker"),
    "selftest": (Field("selftest.before_minutes", "number"), Field("selftest.at", "list")),
    "panel": (Field("panel.chip"), *_of("panel", *PANEL_PINS, kind="number")),
    "media": (
        Field("ice_transport_policy", "choice", ("all", "relay")),
        Field("media_ports"),
        Field("dscp", "number"),
    ),
    "network": (
        Field("network.method", "choice", ("dhcp", "static")),
        *_of("network", "interface", "address", "gateway"),
        *_of("network", "dns", "ntp", kind="list"),
        Field("network.vlan", "number"),
        *_of("network", "eap_tls", "proxy"),
    ),
    "broker": (
        Field("broker.host"),
        Field("broker.port", "number"),
        Field("broker.transport", "choice", ("tls", "alpn", "websocket")),
        Field("broker.path"),
        Field("region_ca", "long"),
    ),
}
ALL = frozenset(field.path for fields in SECTIONS.values() for field in fields)
"""The paths of all fields."""
CUTS_OFF = frozenset({"network", "broker"})
"""What can cut a unit off: the page warns, and the unit rolls back by itself."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A filled form. `values`: by field of Config, None for what is left to others. `wrong`: paths of fields."""

    values: Mapping[str, Any]
    wrong: Mapping[str, str]


def read(form: MultiDict[str, str], fields: Sequence[Field]) -> Filled:
    """What a form sets; what is empty is left to groups and room. A wrong field's reason is the contract's, or
    empty where it cannot be read at all. A PIN that is left empty stays as it is."""
    values: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for field in fields:
        try:
            value = _read(form, field)
        except ValueError:
            wrong[field.path] = ""
            continue
        if field.kind == "pin" and value is None:
            continue
        top, _, inner = field.path.partition(".")
        if not inner:
            values[top] = value
        else:
            values.setdefault(top, None)
            if value is not None:
                values[top] = {**(values[top] or {}), inner: value}
    for top, value in values.items():
        if value is not None:
            wrong |= {path: reason for path, reason in _faults(top, value, fields) if path not in wrong}
    return Filled(values, wrong)


def written(config: Mapping[str, Any], fields: Sequence[Field]) -> dict[str, list[str]]:
    """A configuration as a form holds it: the texts of each field, by its path."""
    return {field.path: _written(config, field) for field in fields}


def changes(values: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The values that differ from those set here."""
    return {name: value for name, value in values.items() if value != own.get(name)}


def _read(form: MultiDict[str, str], field: Field) -> object:
    """Raises ValueError for what cannot be read."""
    if field.kind == "many":
        return [one for one in field.options if one in form.getlist(field.path)] or None
    text = form.get(field.path, "").strip()
    if len(text) > MAX_CHARS:
        raise ValueError(field.path)
    if not text:
        return None
    if field.options and text not in field.options:
        raise ValueError(field.path)
    kind = "number" if field.path == "volume" else field.kind
    return _READERS[kind](text) if kind in _READERS else text


def _whole(text: str) -> int:
    if not text.removeprefix("-").isdigit() or not text.isascii() or len(text) > 9:
        raise ValueError(text)
    return int(text)


def _decimal(text: str) -> float:
    return float(text.replace(",", "."))


def _switch(text: str) -> bool:
    if text not in ("yes", "no"):
        raise ValueError(text)
    return text == "yes"


def _list(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _digest(pin: str) -> str:
    if not (pin.isascii() and pin.isdigit() and 4 <= len(pin) <= 8 and len(set(pin)) > 2):
        raise ValueError("pin")
    return PasswordHasher().hash(pin)


_READERS: Mapping[Kind, Callable[[str], object]] = {
    "number": _whole,
    "decimal": _decimal,
    "switch": _switch,
    "list": _list,
    "pin": _digest,
}


def _faults(top: str, value: object, fields: Sequence[Field]) -> list[tuple[str, str]]:
    paths = {field.path for field in fields}
    first = next(field.path for field in fields if field.top == top)
    try:
        config = Config.model_validate_json(json.dumps({top: value}))
    except ValidationError as error:
        places = [
            ".".join(str(part) for part in one["loc"] if isinstance(part, str)) for one in error.errors()
        ]
        return [(place if place in paths else first, "") for place in places]
    return [(place if place in paths else first, reason) for place, reason in what_is_wrong(config)]


def _written(config: Mapping[str, Any], field: Field) -> list[str]:
    if field.kind == "pin":
        return []
    value: Any = config.get(field.top)
    if "." in field.path:
        value = value.get(field.path.partition(".")[2]) if isinstance(value, Mapping) else None
    if value is None:
        return []
    if field.kind == "many":
        return [str(one) for one in value]
    if isinstance(value, bool):
        return ["yes" if value else "no"]
    if isinstance(value, list | tuple):
        return [", ".join(str(one) for one in value)]
    return [f"{value:g}" if isinstance(value, float) else str(value)]
