"""`halsorum unit`: look at units, and set what they shall be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from provisioning.cli_context import Command, command_of, now, told_to_person, who
from web.clinic.services import Refused

# As in cli_context: the command loads what it works with.
if TYPE_CHECKING:
    from provisioning.configurations import Configurations
    from web.clinic.fleet.services import Health, UnitLine, UnitPage

HEALTHS = ("good", "attention", "bad", "revoked", "unknown")
EVERYTHING = 1_000_000

Pairs = Annotated[
    list[str] | None,
    typer.Argument(metavar="[FIELD=VALUE]...", help="volume=3 languages=sv,fi network.vlan=12"),
]
ConfigFile = Annotated[
    Path | None, typer.Option("--file", exists=True, dir_okay=False, help="A TOML file with the fields.")
]


def unit_list(  # noqa: PLR0917 - typer's options are arguments
    context: typer.Context,
    search: Annotated[str, typer.Option(help="In name, serial number, room, clinic, version.")] = "",
    health: Annotated[str | None, typer.Option(help=", ".join(HEALTHS))] = None,
    group: Annotated[str | None, typer.Option(help="In this group.")] = None,
    clinic: Annotated[str | None, typer.Option(help="In this clinic's rooms.")] = None,
    software: Annotated[str | None, typer.Option(help="With this version.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many.")] = EVERYTHING,
) -> None:
    """All units, or some: how each is, and what it last said. What is wrong comes first."""
    from provisioning.fleet_views import listed, unit_lines
    from web.clinic.fleet.services import UnitQuery

    command = command_of(context)
    with told_to_person():
        if health is not None and health not in HEALTHS:
            raise Refused("health", f"is one of {', '.join(HEALTHS)}")
        with command.database.read() as db:
            lines = unit_lines(db, now())
        said = {unit.id: (unit, report) for unit, report, _ in command.rooms.units()}
        query = UnitQuery(
            text=search,
            health=cast("Health | None", health),
            group=group,
            clinic=clinic,
            software=software,
            limit=limit,
        )
        rows = [_row(line, *said[line.id]) for line in listed(lines, query).units]
    shown = (
        "unit",
        "room",
        "health",
        "reasons",
        "state",
        "since",
        "software",
        "configuration",
        "certificate_until",
    )
    command.show(rows if command.as_json else [{name: row[name] for name in shown} for row in rows])


def unit_show(context: typer.Context, unit_id: str) -> None:
    """All that is known of a unit: how it is, what it shall be and who said so, its certificates."""
    command = command_of(context)
    with told_to_person():
        page = _page(command, unit_id)
    if command.as_json:
        command.done(asdict(page), "")
        return
    line = page.line
    rows = [
        ("health", " ".join([line.health, *line.reasons])),
        ("state", f"{line.state} since {line.since}, heard {line.heard_at}"),
        ("faults", ", ".join(page.faults)),
        ("place", ", ".join(part for part in (line.room, line.clinic) if part)),
        ("serial", line.serial or ""),
        ("runs", f"{line.software} on {line.board}"),
        ("groups", ", ".join(line.groups)),
        ("configuration", f"{line.config}, {line.config_reported_rev} of {line.config_rev}"),
        *((f"  {name}", f"{value} ({page.origins[name]})") for name, value in page.config.items()),
        *(("configuration's error", error) for error in page.config_errors),
        *(("certificate", f"{each.purpose} until {each.not_after}") for each in page.certificates),
        *(("figure", f"{name} {value}") for name, value in page.telemetry.items()),
        ("bootstrap", page.bootstrap or ""),
        ("revoked", f"{page.revoked.at} by {page.revoked.by}" if page.revoked else ""),
    ]
    command.show([{"what": name, "is": value} for name, value in rows if value], title=unit_id)


def unit_history(context: typer.Context, unit_id: str) -> None:
    """What has happened to a unit, newest first."""
    command = command_of(context)
    with told_to_person():
        history = _page(command, unit_id).history
    command.show(
        [{"at": each.at, "kind": each.kind, "fields": _fields(command, each.fields)} for each in history]
    )


def unit_set(context: typer.Context, unit_id: str, pairs: Pairs = None, file: ConfigFile = None) -> None:
    """Set fields of a unit's own configuration, over what its groups and its room set."""
    from provisioning.config_words import typed

    command = command_of(context)
    with told_to_person():
        values = from_file(file) | typed(pairs or [], _own(command, unit_id))
        rev = _set(command, unit_id, values)
    told = {"unit": unit_id, "rev": rev, "set": sorted(values)}
    command.done(told, f"Unit {unit_id} gets revision {rev} when it is connected.")


def unit_unset(
    context: typer.Context,
    unit_id: str,
    names: Annotated[list[str], typer.Argument(metavar="FIELD...", help="phone, or network.vlan")],
) -> None:
    """Give fields back: from now on the unit's groups and its room decide."""
    from provisioning.config_words import given_back

    command = command_of(context)
    with told_to_person():
        rev = _set(command, unit_id, given_back(names, _own(command, unit_id)))
    told = {"unit": unit_id, "rev": rev, "given_back": sorted(names)}
    command.done(told, f"Unit {unit_id} gets revision {rev} when it is connected.")


def unit_retry(context: typer.Context, unit_id: str) -> None:
    """Have a unit try again what it has rolled back; it never does by itself."""
    command = command_of(context)
    with told_to_person():
        attempt = int(_own(command, unit_id).get("attempt", 0)) + 1
        rev = _set(command, unit_id, {"attempt": attempt})
    command.done({"unit": unit_id, "rev": rev, "attempt": attempt}, f"Unit {unit_id} tries revision {rev}.")


def configurations_of(command: Command) -> Configurations:
    """This run's region's."""
    from provisioning.configurations import Configurations

    return Configurations(command.database, now)


def from_file(file: Path | None) -> dict[str, Any]:
    """The fields in a file; raises Refused."""
    from provisioning.config_words import from_toml

    return from_toml(file.read_text()) if file is not None else {}


def _set(command: Command, unit_id: str, values: dict[str, Any]) -> int:
    if not values:
        raise Refused("values", "are missing: write FIELD=VALUE, or --file")
    return configurations_of(command).set_unit(unit_id, values, who())


def _own(command: Command, unit_id: str) -> dict[str, Any]:
    from provisioning.models import Unit

    with command.database.read() as db:
        unit = db.get(Unit, unit_id)
    if unit is None:
        raise Refused("unit", "is not known")
    return unit.config_own


def _page(command: Command, unit_id: str) -> UnitPage:
    from provisioning.unit_page import unit_page

    with command.database.read() as db:
        return unit_page(db, unit_id, now(), names={}, commands=())


def _row(line: UnitLine, unit: Any, report: Any) -> dict[str, Any]:  # noqa: ANN401 - models, loaded late
    return {
        "unit": line.id,
        "room": line.room_id,
        "clinic": line.clinic,
        "health": line.health,
        "reasons": list(line.reasons),
        "state": line.state,
        "since": line.since,
        "heard_at": line.heard_at,
        "faults": [fault["instruction"] for fault in report.faults],
        "groups": list(line.groups),
        "software": line.software,
        "schedule": f"{report.schedule_rev} of {unit.schedule_rev} {report.schedule_outcome}".strip(),
        "configuration": f"{line.config_reported_rev} of {line.config_rev}",
        "configuration_is": line.config,
        "certificate_until": line.certificate_until,
        "serial": line.serial,
        "busy": line.busy,
    }


def _fields(command: Command, fields: Any) -> object:  # noqa: ANN401 - plain values
    return fields if command.as_json else in_a_line(fields)


def in_a_line(fields: Mapping[str, Any]) -> str:
    """Names and values for people."""
    return ", ".join(f"{name} {value}" for name, value in fields.items())
