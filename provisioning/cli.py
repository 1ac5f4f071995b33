"""`halsorum`: the region's command line. It works on the database; a running region notices at once."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from provisioning import (
    cli_access,
    cli_broker,
    cli_commands,
    cli_conformance,
    cli_database,
    cli_diagnostics,
    cli_enrolment,
    cli_fleet,
    cli_groups,
    cli_places,
    cli_quality,
    cli_region,
    cli_rollouts,
    cli_sessions,
    cli_staff,
    cli_updates,
)
from provisioning.cli_context import Command

JSON_FLAG = "--json"

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    help="Runs the region's side of Hälsorum. --json may stand anywhere. On a unit, `halsorum encoders` and "
    "`halsorum camera` try its own devices.",
)
app.add_typer(cli_places.account, name="account")
app.add_typer(cli_places.client, name="client")
app.add_typer(cli_commands.command, name="command")
app.add_typer(cli_database.database, name="database")
app.add_typer(cli_staff.queue, name="queue")
app.add_typer(cli_places.room, name="room")
app.add_typer(cli_staff.staff, name="staff")
app.add_typer(cli_places.unit, name="unit")
app.add_typer(cli_sessions.log, name="log")
app.add_typer(cli_sessions.contract, name="contract")
app.add_typer(cli_quality.session, name="session")
app.add_typer(cli_enrolment.enrol, name="enrol")
app.add_typer(cli_enrolment.bootstrap, name="bootstrap")
app.add_typer(cli_broker.broker, name="broker")
app.add_typer(cli_groups.group, name="group")
app.add_typer(cli_region.region, name="region")
app.add_typer(cli_rollouts.rollout, name="rollout")
app.add_typer(cli_fleet.audit, name="audit")
app.add_typer(cli_updates.update, name="update")
app.command()(cli_fleet.fleet)
cli_sessions.contract.command("check-region")(cli_conformance.check_region)
cli_sessions.contract.command("check-unit")(cli_conformance.check_unit)
cli_places.unit.command("arm")(cli_enrolment.unit_arm)
cli_places.unit.command("block")(cli_enrolment.unit_block)
cli_places.unit.command("revoke")(cli_enrolment.unit_revoke)
cli_places.unit.command("unrevoke")(cli_enrolment.unit_unrevoke)
cli_sessions.log.command("access")(cli_access.access)
app.command()(cli_diagnostics.diagnostics)
for command in (cli_sessions.book, cli_sessions.move, cli_sessions.cancel, cli_sessions.sessions):
    app.command()(command)


@app.callback()
def choose(
    context: typer.Context,
    database: Annotated[
        str | None, typer.Option(envvar="HALSORUM_DATABASE_URL", help="Such as sqlite:////path/region.db.")
    ] = None,
    settings: Annotated[
        Path | None, typer.Option(envvar="HALSORUM_SETTINGS", help="The region's TOML file.")
    ] = None,
    json: Annotated[bool, typer.Option(JSON_FLAG, help="Print JSON for programs.")] = False,
) -> None:
    """Which region, and how to print."""
    context.obj = Command(as_json=json, database_url=database, settings_file=settings)


def main(arguments: list[str] | None = None) -> None:
    """Run a command; exit code 1 and a sentence if it cannot be done, 2 for a wrong call."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if JSON_FLAG in given:
        given = [JSON_FLAG, *(argument for argument in given if argument != JSON_FLAG)]
    app(given, prog_name="halsorum")


if __name__ == "__main__":
    main()
