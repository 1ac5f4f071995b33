"""A configuration as it is typed: `volume=3 languages=sv,fi network.vlan=12`, or a TOML file. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from pydantic import ValidationError
from pydantic_core import to_json

from agent.contract.unit_config import Config
from web.clinic.services import Refused


def typed(pairs: Sequence[str], own: Mapping[str, Any]) -> dict[str, Any]:
    """Fields from `name=value` each; `network.vlan=12` changes one part of what `own` has. Raises Refused."""
    values: dict[str, Any] = {}
    for pair in pairs:
        name, sign, text = pair.partition("=")
        if not sign:
            raise Refused(name[:60] or "values", "is written as name=value")
        field, _, part = name.partition(".")
        before = {field: values.get(field, own.get(field))}
        values[field] = _best(before, field, part, text)[field]
    return values


def given_back(names: Sequence[str], own: Mapping[str, Any]) -> dict[str, Any]:
    """The fields to be taken from `own`: whole ones, or with `network.vlan` a part of one."""
    values: dict[str, Any] = {}
    for name in names:
        field, _, part = name.partition(".")
        left = {**(values.get(field, own.get(field)) or {})} if part else {}
        left.pop(part, None)
        values[field] = left or None
    return values


def from_toml(text: str) -> dict[str, Any]:
    """Fields from a file; raises Refused."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Refused("file", f"is not TOML: {error}") from None


def _best(before: Mapping[str, Any], field: str, part: str, text: str) -> dict[str, Any]:
    """The first reading that the contract takes in this place; the text itself if it takes none, to be refused
    with the reason."""
    readings = [_placed(before, field, part, value) for value in _readings(text)]
    location = (field, part) if part else (field,)
    return next((reading for reading in readings if _is_taken(reading, location)), readings[-1])


def _readings(text: str) -> Iterator[Any]:
    with suppress(tomllib.TOMLDecodeError):
        yield tomllib.loads(f"value = {text}")["value"]
    yield text
    yield [word.strip() for word in text.split(",") if word.strip()]
    yield text


def _placed(before: Mapping[str, Any], field: str, part: str, value: object) -> dict[str, Any]:
    if not part:
        return {field: value}
    whole = before.get(field)
    return {field: {**(whole if isinstance(whole, Mapping) else {}), part: value}}


def _is_taken(values: Mapping[str, Any], location: tuple[str, ...]) -> bool:
    try:
        Config.model_validate_json(to_json(dict(values)))
    except ValidationError as error:
        wrong = [tuple(each["loc"]) for each in error.errors(include_input=False, include_url=False)]
        return not any(loc[: len(location)] == location for loc in wrong)
    return True
