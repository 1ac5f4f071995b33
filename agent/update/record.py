"""How far an update has come, as it is kept over every restart, and what a start makes of it. Pure.

The slot that runs decides, not what was written down last: a machine that lost power between a step and its note
is where its slots say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from agent.commands.deeds import Refused
from firmware.update.slots import Slots
from firmware.update.versions import is_older, is_version

ATTEMPTS_AT_MOST = 5
"""Installations, or restarts, that a lost power broke off."""


class Phase(StrEnum):
    """What is being done."""

    DOWNLOADING = "downloading"
    INSTALLING = "installing"
    WAITING = "waiting"
    RESTARTING = "restarting"
    PROVING = "proving"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Record:
    """faults: of the self-test before it. lacking: what the new system has not proven yet. failed: why it ended,
    empty where it succeeded."""

    command: str
    from_slot: str
    from_version: str
    phase: Phase = Phase.DOWNLOADING
    attempts: int = 0
    faults: tuple[str, ...] = ()
    lacking: str = ""
    failed: str = ""


def refuse(arguments: Mapping[str, str], slots: Slots) -> None:
    """Raises Refused for what this unit does not take, before anything is fetched."""
    if not slots.booted:
        raise Refused("this machine was not started from a slot, so it takes no updates")
    if not slots.is_proven:
        raise Refused("the system that runs has not proven itself yet")
    if arguments["compatible"] != slots.compatible:
        raise Refused(
            f"compatible: the bundle is for {arguments['compatible']}, this unit is {slots.compatible}"
        )
    if arguments.get("allow_downgrade") == "yes":
        return
    version = arguments["version"]
    if not is_version(slots.version) or is_older(version, slots.version):
        raise Refused(f"version: {version} is older than {slots.version or 'unknown'}, which runs here")


def after_start(record: Record, slots: Slots) -> Record:
    """Where an update goes on that was broken off by a restart. Raises Refused where it has ended by it."""
    if slots.booted != record.from_slot:
        return replace(record, phase=Phase.PROVING)
    if record.phase in {Phase.RESTARTING, Phase.PROVING} and (slots.tried or record.phase == Phase.PROVING):
        lacking = record.lacking or "it did not start as far as to tell"
        raise Refused(f"the new system has not proven itself, and the old one is back: {lacking}")
    if record.attempts >= ATTEMPTS_AT_MOST:
        raise Refused(f"it was broken off {record.attempts} times while {record.phase.value}")
    if record.phase == Phase.RESTARTING:
        return replace(record, phase=Phase.WAITING, attempts=record.attempts + 1)
    return record
