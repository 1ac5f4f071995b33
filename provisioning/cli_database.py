"""`halsorum database`: the region's database itself."""

from __future__ import annotations

import typer

from provisioning.cli_context import command_of, told_to_person

database = typer.Typer(no_args_is_help=True, help="The region's database itself.")


@database.callback()
def itself() -> None:
    """The region's database itself."""


@database.command("upgrade")
def upgrade(context: typer.Context) -> None:
    """Bring an earlier release's database up to this one, an SQLite file copied first. Stop the service before."""
    from provisioning.database import SCHEMA_VERSION

    command = command_of(context)
    with told_to_person():
        opened = command.open_database()
        before, copy = opened.version(), opened.create(upgrade=True)
        opened.close()
    said = {"from": before, "to": SCHEMA_VERSION, "copy": str(copy) if copy else None}
    if before == SCHEMA_VERSION:
        words = f"The database is of this release already (schema {SCHEMA_VERSION})."
    else:
        words = f"The database is of this release now (schema {before} to {SCHEMA_VERSION})."
    command.done(said, words + (f" As it was before: {copy}" if copy else ""))
