"""What is touched for help: asking for it, and taking it back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from agent.screen import Outcome, Touch
from agent.unit import Unit


def help_touches(unit: Unit) -> dict[str, Callable[[Touch], Awaitable[Outcome]]]:
    """The handlers by kind of touch."""

    async def ask(_touch: Touch) -> Outcome:
        return Outcome(None if ask_for_help(unit) else "no_region")

    async def over(_touch: Touch) -> Outcome:
        return Outcome(None if unit.help.over() else "not_now")

    return {"help": ask, "help_over": over}


def ask_for_help(unit: Unit, *, how: str = "") -> bool:
    """By a touch, or by the panel's button (`how`); False when the region cannot be reached."""
    held = unit.held()
    return unit.help.ask(held.plan.sid if held else None, how=how)


def help_button(unit: Unit) -> None:
    """The panel's button does what the touch does."""
    ask_for_help(unit, how="button")
    unit.changed()
