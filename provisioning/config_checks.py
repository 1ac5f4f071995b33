"""Whether a configuration may go to a unit: refused here and now, where somebody can be told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import to_json, to_jsonable_python

from agent.contract.body import field_path
from agent.contract.config_check import what_is_wrong
from agent.contract.unit_config import Config
from web.clinic.services import Refused

NOT_SETTABLE = frozenset({"epoch"})
"""The region counts it by itself."""


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON holds it, so that what is kept compares with what comes; raises Refused for a field that no
    configuration has."""
    known = Config.model_fields.keys() - NOT_SETTABLE
    for name in values:
        if name not in known:
            raise Refused(str(name)[:60], "is no field of a unit's configuration")
    return dict(to_jsonable_python(dict(values)))


def check(config: Mapping[str, Any], unit: str = "") -> Config:
    """The configuration as the contract has it; raises Refused, naming field and unit."""
    where = f" (for unit {unit})" if unit else ""
    try:
        checked = Config.model_validate_json(to_json(dict(config)))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise Refused(field_path(first["loc"]), f"is not valid: {first['msg']}{where}") from None
    for wrong, reason in what_is_wrong(checked):
        raise Refused(wrong, f"{reason}{where}")
    for path in _unknown(config, checked):
        raise Refused(path, f"is no field of a unit's configuration{where}")
    return checked


def _unknown(values: Mapping[str, Any], checked: BaseModel, path: str = "") -> Iterator[str]:
    """The contract ignores fields that it does not know; who types one wrong is to hear of it."""
    for name, value in values.items():
        if name not in type(checked).model_fields:
            yield f"{path}{name}"[:60]
            continue
        inner = getattr(checked, name)
        if isinstance(value, Mapping) and isinstance(inner, BaseModel):
            yield from _unknown(value, inner, f"{path}{name}.")
