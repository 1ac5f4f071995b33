"""`halsorum command`: tell units what to do, and follow what becomes of it."""

from __future__ import annotations

import getpass
import re
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from provisioning.cli_context import command_of, now, told_to_person
from provisioning.cli_diagnostics import uploads_of
from web.clinic.services import Refused

# As in cli_context: the command loads what it works with.
if TYPE_CHECKING:
    from provisioning.commands import Commands
    from web.clinic.fleet.services import CommandLine

command = typer.Typer(no_args_is_help=True, help="What units are told to do: restart, selftest, wipe…")

POLL_S = 0.3
BAD_END = 3
"""Exit code of a command that was waited for and did not succeed."""
UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@command.command("send")
def send(  # noqa: PLR0917 - typer's options are arguments
    context: typer.Context,
    unit: str,
    name: Annotated[str, typer.Argument(help="Such as selftest; a wrong one lists them all.")],
    arguments: Annotated[list[str] | None, typer.Argument(metavar="[KEY=VALUE]...")] = None,
    expires: Annotated[
        str, typer.Option(help="How long it may wait for the unit: 30s, 15m, 2h, 7d.")
    ] = "15m",
    timeout: Annotated[str, typer.Option(help="How long it may run: 30s, 2m, at most 1d.")] = "2m",
    wait: Annotated[bool, typer.Option("--wait", help="Until it is over; exit code 3 if not well.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before a wipe.")] = False,
) -> None:
    """Send a command to a unit. It is done once, or never."""
    with told_to_person():
        if name == "wipe" and not yes:
            sure = f"Wipe {unit}? Its keys and data are gone for good; it must be enrolled anew."
            typer.confirm(sure, abort=True, err=True)
        commands = commands_of(context)
        command_id = commands.send(
            unit,
            name,
            pairs(arguments or []),
            by=f"cli:{getpass.getuser()}",
            expires_in=duration(expires, "expires"),
            timeout_s=int(duration(timeout, "timeout").total_seconds()),
        )
        line = await_end(commands, command_id) if wait else commands.line(command_id)
    command_of(context).done(row(line), sentence(line))
    if wait and line.state != "succeeded":
        raise typer.Exit(BAD_END)


@command.command("list")
def list_(
    context: typer.Context,
    unit: Annotated[str | None, typer.Option(help="Of one unit alone.")] = None,
    limit: Annotated[int, typer.Option(help="The newest so many.")] = 50,
) -> None:
    """What was sent, the newest first."""
    with told_to_person():
        lines = commands_of(context).lines(unit, limit=limit)
    if command_of(context).as_json:
        command_of(context).show([row(line) for line in lines])
        return
    shown = ("id", "unit", "name", "state", "reason", "by", "made_at")
    command_of(context).show([{name: row(line)[name] for name in shown} for line in lines])


@command.command("show")
def show(context: typer.Context, command_id: str) -> None:
    """One command and what the unit said of it."""
    with told_to_person():
        line = commands_of(context).line(command_id)
    if command_of(context).as_json:
        command_of(context).done(row(line), "")
    else:
        command_of(context).show([{"what": name, "is": value} for name, value in row(line).items()])


@command.command("cancel")
def cancel(
    context: typer.Context,
    command_id: str,
    wait: Annotated[bool, typer.Option("--wait", help="Until the unit has said what became of it.")] = False,
) -> None:
    """Take back a command that has not begun."""
    with told_to_person():
        commands = commands_of(context)
        commands.cancel(command_id, by=f"cli:{getpass.getuser()}")
        line = await_end(commands, command_id) if wait else commands.line(command_id)
    command_of(context).done(row(line), sentence(line))


def commands_of(context: typer.Context) -> Commands:
    """The commands of this run's region."""
    from provisioning.commands import Commands

    command = command_of(context)
    return Commands(command.database, now, lambda unit, sent: uploads_of(command).make(unit, sent))


def pairs(arguments: list[str]) -> dict[str, str]:
    """`key=value` each; raises Refused."""
    split = [argument.partition("=") for argument in arguments]
    if any(not sign for _, sign, _ in split):
        raise Refused("arguments", "are written as key=value")
    return {key: value for key, _, value in split}


def duration(text: str, name: str) -> timedelta:
    """`90s`, `15m`, `2h`, `7d`; raises Refused."""
    found = re.fullmatch(r"(\d{1,7})([smhd])", text)
    if found is None:
        raise Refused(name, "is a time such as 30s, 15m, 2h or 7d")
    return timedelta(seconds=int(found[1]) * UNITS_S[found[2]])


def row(line: CommandLine) -> dict[str, Any]:
    """A command for programs."""
    return {
        "id": line.id,
        "unit": line.unit,
        "name": line.name,
        "arguments": dict(line.arguments),
        "state": line.state,
        "reason": line.reason,
        "result": dict(line.result),
        "by": line.by,
        "made_at": line.made_at,
        "expires_at": line.expires_at,
        "changed_at": line.changed_at,
        "cancel": line.cancel,
        "rollout": line.rollout_id,
    }


def sentence(line: CommandLine) -> str:
    """A command for people."""
    why = f": {line.reason}" if line.reason else ""
    told = "".join(f"\n  {name}: {value}" for name, value in line.result.items())
    return f"{line.name} on {line.unit} is {line.state}{why} (id {line.id}).{told}"


def await_end(commands: Commands, command_id: str) -> CommandLine:
    """The region's worker gives it up by itself some time after its expiry."""
    line = commands.line(command_id)
    while not line.is_over:
        time.sleep(POLL_S)
        line = commands.line(command_id)
    return line
