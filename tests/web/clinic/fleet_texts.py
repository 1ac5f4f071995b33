"""The families of texts of IT's pages: which words there must be, by what the contract and the region say."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import get_args

import agent
from agent.contract.commands import KNOWN, CommandState
from agent.contract.status import UnitState
from agent.contract.telemetry import Telemetry
from provisioning.fleet_health import HEALTH
from web.clinic.fleet import orders, reasons, rollout_making, rollouts, saying, unit, wiring
from web.clinic.fleet.services import ConfigStanding, Health
from web.clinic.fleet.settings_form import ALL, LANGUAGES, SECTIONS

FAULTS = ("encoder", "region")
"""Of units, for which IT has something else to do than a room's staff."""
FIGURED = {
    name
    for file in (Path(agent.__file__).parent / "probes").glob("*.py")
    for name in re.findall(r'\bwell\(\s*"(\w+)"', file.read_text())
}
"""Under what names a unit's self-test gives its figures."""
ACTIONS = (
    *("assign", "set_config", "make_group", "drop_group", "set_members", "set_group_config"),
    *("command_send", "command_cancel", "rollout_start", "rollout_pause", "rollout_resume", "rollout_abort"),
    *("rollout_stopped", "rollout_paused", "rollout_done"),
    *("enrolment_approved", "enrolment_rejected", "enrolment_proven", "unit_revoked", "unit_unrevoked"),
    *("bootstrap_armed", "bootstrap_blocked", "bootstrap_made", "diagnostics_came"),
    *("add_recipient", "remove_recipient", "move_session"),
)
"""Of the audit log."""
KINDS = (
    *("added", "started", "state", "version", "certificate", "config_wanted", "config_applied"),
    *("config_deferred", "config_trial", "config_rejected", "config_rolled_back", "room_in", "room_out"),
    *("command", "enrolment_approved", "certificate_issued", "certificate_proven", "unit_revoked"),
    *("unit_unrevoked", "bootstrap_armed", "bootstrap_blocked"),
)
"""Of a unit's history."""
FIELDS = (
    *("digest", "until", "warnings", *(f"probe_{name}" for name in sorted(FIGURED))),
    *(
        "reason",
        "serial",
        "room",
        "was",
        "state",
        "name",
        "boot",
        "rev",
        "fields",
        "errors",
        "key",
        "purpose",
    ),
    *(
        "unit",
        "units",
        "rank",
        "why",
        "software",
        "not_after",
        "sha256",
        "title",
        "stages",
        "set",
        "given_back",
        "bytes",
        "faults",
        "recipient",
        "ways",
    ),
)
ARGUMENTS = {argument.name: argument.options for each in orders.WITH_QUESTION.values() for argument in each}
OPTIONS = {option for fields in SECTIONS.values() for field in fields for option in field.options}

FAMILIES: Mapping[str, Collection[str]] = {
    "fleet.ago": ("minutes", "hours", "days"),
    "fleet.narrow": ("clinic", "group", "software", "config"),
    "fleet.health": get_args(Health),
    "fleet.count": get_args(Health),
    "fleet.state": (*get_args(UnitState), "unknown"),
    "fleet.config": get_args(ConfigStanding),
    "fleet.reason": tuple(HEALTH),
    "fleet.todo": (*(HEALTH.keys() - saying.AS_INSTRUCTION.keys()), *FAULTS),
    "fleet.step": tuple(saying.FIRST_STEPS),
    "fleet.order": KNOWN,
    "fleet.order_words": KNOWN,
    "fleet.order_state": ("sent", *get_args(CommandState)),
    "fleet.argument": tuple(ARGUMENTS),
    **{f"fleet.argument.{name}": options for name, options in ARGUMENTS.items() if options},
    "fleet.within": tuple(orders.EXPIRES_S),
    "fleet.tab": ("now", "config", "details", "history"),
    "fleet.section": tuple(SECTIONS),
    "fleet.set": ALL,
    "fleet.hint": ALL,
    "fleet.set.by": ("unit", "room", "here"),
    "fleet.option": {"yes", "no", *LANGUAGES, *OPTIONS} - set("12345"),
    "fleet.wrong": ("stages", "failures"),
    "fleet.refused": {key for _, key in reasons.KNOWN},
    "fleet.way": ("email", "webhook"),
    "fleet.told": ("waiting", "sent", "failed"),
    "fleet.not_sent": {key for _, key in reasons.NOT_SENT},
    "fleet.outcome": {key for _, key in reasons.OUTCOMES},
    "fleet.why": ("new", "expired", "reset"),
    "fleet.enrolment": ("waiting", "conflict", "approved", "proven", "rejected", "expired"),
    "fleet.boot.state": ("armed", "used", "blocked"),
    "fleet.figure": set(Telemetry.model_fields) - {"at"},
    "fleet.purpose": ("operational", "bootstrap"),
    "fleet.info": unit.SHOWN_OF_INFO,
    "fleet.kind": KINDS,
    "fleet.action": ACTIONS,
    "fleet.field": FIELDS,
    "fleet.whom": ("groups", "units", "all"),
    "fleet.rollout": ("running", "paused", "stopped", "done", "aborted"),
    "fleet.rollout_unit": rollouts.UNIT_STATES,
    "fleet.steer": ("pause", "resume", "abort"),
    "fleet.said": wiring.SAID,
}
assert set(rollout_making.COMMANDS) <= set(KNOWN)
