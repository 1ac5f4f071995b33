"""A unit's configuration from its layers: what its groups set, what its room brings, and its own. Pure.

Fields are taken whole: of two layers that set `network`, the later one's holds, and nothing of the other. Half of
a static address from one and half from another would be nobody's wish.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

FOLLOW_THE_ROOM = ("room_name", "phone", "languages", "staff_pin_digest")
"""Of a unit's own fields, those that are about the room: they go on to the unit that takes its place."""
HIDDEN = "(set)"
"""Stands for a digest wherever people or histories see a configuration."""


@dataclass(frozen=True, slots=True)
class Layer:
    """What one of them sets. origin: `group:` and a name, `room`, or `unit`."""

    origin: str
    values: Mapping[str, Any]


def merge(layers: Iterable[Layer]) -> tuple[dict[str, Any], dict[str, str]]:
    """The whole, and of each field where it comes from; later layers hold."""
    config: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for layer in layers:
        for name, value in layer.values.items():
            config[name], origins[name] = value, layer.origin
    return config, origins


def changed(own: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """A layer with some fields set; None gives a field back."""
    return {name: value for name, value in {**own, **values}.items() if value is not None}


def without_secrets(config: Mapping[str, Any]) -> dict[str, Any]:
    """As it may be shown and kept in histories: digests of PINs are left out."""
    shown = dict(config)
    if shown.get("staff_pin_digest") is not None:
        shown["staff_pin_digest"] = HIDDEN
    if isinstance(shown.get("staff"), list):
        shown["staff"] = [{"id": each["id"], "label": each["label"]} for each in shown["staff"]]
    return shown
