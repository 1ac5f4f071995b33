"""`halsorum fleet`, how all units are at a glance; `halsorum audit`, who of IT did what."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import typer

from provisioning.cli_context import command_of, now, told_to_person

audit = typer.Typer(no_args_is_help=True, help="Who of IT did what.")


def fleet(context: typer.Context) -> None:
    """How all units are: how many are well, and what is wrong with the others."""
    from provisioning.fleet_views import listed, unit_lines
    from web.clinic.fleet.services import UnitQuery

    command = command_of(context)
    with told_to_person(), command.database.read() as db:
        lines = unit_lines(db, now())
    counts = listed(lines, UnitQuery(limit=0)).counts
    reasons = Counter(reason for line in lines for reason in line.reasons)
    versions = Counter(line.software or "unknown" for line in lines)
    standings = Counter(line.config for line in lines)
    if command.as_json:
        told = {"units": len(lines), "health": counts, "reasons": reasons, "versions": versions}
        command.done(told | {"configuration": standings, "busy": sum(line.busy for line in lines)}, "")
        return
    rows = [("units", str(len(lines)), "")]
    for what, each in (
        ("health", counts),
        ("because", reasons),
        ("version", versions),
        ("configuration", standings),
    ):
        rows += [(what, str(name), str(number)) for name, number in Counter(each).most_common() if number]
    command.show([{"what": what, "is": name, "units": number} for what, name, number in rows])


@audit.command("list")
def audit_list(
    context: typer.Context,
    target: Annotated[
        str | None, typer.Option(help="A unit, room or group; serial:NUMBER; rollout:NUMBER.")
    ] = None,
    by: Annotated[str | None, typer.Option(help="An account's id or name, cli:USER, or region.")] = None,
    limit: Annotated[int, typer.Option(help="The newest so many.")] = 200,
) -> None:
    """Who did what to what, newest first."""
    from provisioning import audit_views

    command = command_of(context)
    with told_to_person():
        names = {account.id: account.name for _, account, _ in command.accounts.list()}
        with command.database.read() as db:
            lines = audit_views.lines(db, names, target=target, by=by, limit=limit)
    command.show(
        [
            {
                "at": line.at.astimezone(command.zone).isoformat(timespec="seconds"),
                "by": line.by,
                "action": line.action,
                "target": line.target,
                "fields": line.fields
                if command.as_json
                else ", ".join(f"{name} {value}" for name, value in line.fields.items()),
            }
            for line in lines
        ]
    )


@audit.command("verify")
def audit_verify(context: typer.Context) -> None:
    """Check that nothing in the audit log was changed, added or removed; exit code 1 if so."""
    from provisioning.audit import verify

    command = command_of(context)
    with told_to_person(), command.database.read() as db:
        entries, fault = verify(db)
    words = f"{entries} entries fit."
    if fault:
        words = f"Entry {entries + 1} of the audit log is the first that does not fit: {fault}."
    command.done({"ok": not fault, "entries": entries, "reason": fault}, words)
    if fault:
        raise typer.Exit(1)
