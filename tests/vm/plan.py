"""Which scenes are played, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Scene:
    """A module of tests/vm/scenes."""

    name: str
    play: Callable[[Any], None]
    short: bool
    """Played in the short form."""
    fresh: bool
    """Wants machines of its own; the others share one, and leave it well."""
    rank: int = 50
    """Lower comes earlier; a scene that others' results build on says so by it."""


def plan(scenes: Sequence[Scene], wanted: Sequence[str], *, everything: bool) -> list[Scene]:
    """The scenes named, or those of the short form, or all; who shares a machine first. Raises ValueError."""
    names = {scene.name for scene in scenes}
    if unknown := [name for name in wanted if name not in names]:
        raise ValueError(f"No scene {', '.join(unknown)}. There are: {', '.join(sorted(names))}.")
    chosen = [scene for scene in scenes if (scene.name in wanted if wanted else everything or scene.short)]
    return sorted(chosen, key=lambda scene: (scene.fresh, scene.rank, scene.name))
