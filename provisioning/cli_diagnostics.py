"""`halsorum diagnostics UNIT`: ask a unit for a bundle of diagnostics, wait for it, save it."""

from __future__ import annotations

import getpass
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from provisioning.cli_context import Command, command_of, now, told_to_person
from web.clinic.services import Refused

# As in cli_context: the command loads what it works with.
if TYPE_CHECKING:
    from provisioning.commands import Commands
    from provisioning.diagnostics import DiagnosticsUploads, Kept

LOOK_EVERY_S = 0.5
TIMEOUT_S = 180
"""Of the command: the network path and the sending take their time where something is wrong."""


def diagnostics(
    context: typer.Context,
    unit: str,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the bundle has come.")] = False,
    output: Annotated[
        Path | None, typer.Option(help="Save the bundle here (tar.gz); implies --wait.")
    ] = None,
    within_minutes: Annotated[
        float, typer.Option(help="How long the unit may take, and how long to wait.")
    ] = 15,
) -> None:
    """Have a unit send its journal, devices and network path, freed of what may tell of a person."""
    from provisioning.commands import Commands

    command = command_of(context)
    with told_to_person():
        uploads = uploads_of(command)
        commands = Commands(command.database, now, uploads.make)
        by, within = f"cli:{getpass.getuser()}", timedelta(minutes=within_minutes)
        sent = commands.send(unit, "collect-diagnostics", by=by, expires_in=within, timeout_s=TIMEOUT_S)
        if not wait and output is None:
            command.done(
                {"unit": unit, "command": sent}, f"Unit {unit} is asked for diagnostics: command {sent}."
            )
            return
        kept = _await(commands, uploads, sent, within)
        _save(command, uploads, kept, output, by)


def uploads_of(command: Command) -> DiagnosticsUploads:
    """Where units put their bundles; raises SettingsError, since only the region's settings say where that is."""
    from provisioning.diagnostics import DiagnosticsUploads
    from provisioning.settings import load_settings

    settings = load_settings(command.settings_file)
    return DiagnosticsUploads(
        command.database,
        now,
        folder=settings.diagnostics_dir,
        public_url=settings.units_url,
        kept=timedelta(days=settings.diagnostics_days),
    )


def _save(command: Command, uploads: DiagnosticsUploads, kept: Kept, output: Path | None, by: str) -> None:
    said = {"unit": kept.unit, "id": kept.id, "bytes": kept.bytes, "sha256": kept.sha256}
    if output is None:
        command.done(said, f"Diagnostics of unit {kept.unit} have come: {kept.bytes} bytes.")
        return
    _, data = uploads.read(kept.id, by)
    try:
        output.touch(mode=0o600)
        output.write_bytes(data)
    except OSError as error:
        raise Refused("output", f"{output} cannot be written: {error.strerror}") from None
    words = f"Diagnostics of unit {kept.unit} are in {output}: {kept.bytes} bytes."
    command.done({**said, "output": str(output)}, words)


def _await(commands: Commands, uploads: DiagnosticsUploads, sent: str, within: timedelta) -> Kept:
    until_s = time.monotonic() + within.total_seconds() + TIMEOUT_S
    while time.monotonic() < until_s:
        kept = uploads.of_command(sent)
        if kept is not None:
            return kept
        line = commands.line(sent)
        if line.is_over and line.state != "succeeded":
            raise Refused("diagnostics", f"did not come: the command is {line.state}. {line.reason}".strip())
        time.sleep(LOOK_EVERY_S)
    raise Refused("diagnostics", "did not come in time; look at the command's state with `halsorum command`")
