"""`show-message`: a line on the idle page until a time. Nobody in a session sees it."""

from __future__ import annotations

from datetime import datetime, timedelta

from agent.commands.deeds import AtOnce, Refused
from agent.commands.life import Entry
from agent.contract.command_check import MAX_MESSAGE_MINUTES
from agent.unit import Unit


def message_deed(unit: Unit, entry: Entry) -> AtOnce:
    """A Deed."""

    def show() -> dict[str, str]:
        now, text = unit.clock.now(), " ".join(entry.arguments["text"].split())
        until = _until(entry, now) if text else None
        if until is not None and not now < until <= now + timedelta(minutes=MAX_MESSAGE_MINUTES):
            raise Refused("until: is from now to a week from now")
        unit.idle.show(text, until)
        unit.changed()
        return {"until": until.isoformat(timespec="seconds")} if until else {}

    return AtOnce(show)


def _until(entry: Entry, now: datetime) -> datetime:
    if "until" in entry.arguments:
        return datetime.fromisoformat(entry.arguments["until"])
    return now + timedelta(minutes=int(entry.arguments["minutes"]))
