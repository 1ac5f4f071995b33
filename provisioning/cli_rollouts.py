"""`halsorum rollout`: a configuration or a command to many units, in stages, stopped when too many fail."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import typer

from provisioning.cli_commands import BAD_END, pairs
from provisioning.cli_context import Command, command_of, now, told_to_person, who
from provisioning.cli_units import ConfigFile, from_file
from web.clinic.services import Refused

# As in cli_context: the command loads what it works with.
if TYPE_CHECKING:
    from provisioning.rollouts import Order, Rollouts
    from web.clinic.fleet.services import RolloutLine

rollout = typer.Typer(no_args_is_help=True, help="Changes to many units, in stages.")

POLL_S = 0.5
GOES_ON = frozenset({"running"})
Number = Annotated[int, typer.Argument(help="As `halsorum rollout list` tells it.")]
Wait = Annotated[bool, typer.Option("--wait", help="Until it is over or paused; exit code 3 if not well.")]


@rollout.command("start")
def start(  # noqa: PLR0917 - typer's options are arguments
    context: typer.Context,
    what: Annotated[str, typer.Argument(help="config, or command.")],
    given: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FIELD=VALUE]...|NAME [KEY=VALUE]...", help="As `unit set` and `command send`."
        ),
    ] = None,
    file: ConfigFile = None,
    unit: Annotated[list[str] | None, typer.Option(help="A unit; may be repeated.")] = None,
    group: Annotated[list[str] | None, typer.Option(help="All of a group; may be repeated.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All units.")] = False,
    stages: Annotated[str, typer.Option(help="Units or shares, such as 1,10%,100%.")] = "1,10%,100%",
    failures: Annotated[str, typer.Option(help="As many, or such a share, may fail.")] = "5%",
    wait_s: Annotated[int, typer.Option(help="Seconds until silence is a failure.")] = 300,
    title: Annotated[str, typer.Option(help="For the list.")] = "",
    wait: Wait = False,
) -> None:
    """Begin a rollout; it goes on by itself, and stops when too many units fail."""
    from web.clinic.fleet.services import RolloutRequest

    with told_to_person():
        if what not in {"config", "command"}:
            raise Refused("what", "is config or command")
        if not (unit or group) and not everything:
            raise Refused("units", "are missing: name them with --unit or --group, or say --all")
        request = RolloutRequest(
            what=cast(Literal["config", "command"], what),
            title=title,
            payload=_payload(what, given or [], from_file(file)),
            units=tuple(unit or ()),
            groups=tuple(group or ()),
            stages=tuple(part.strip() for part in stages.split(",")),
            failures_allowed=failures,
            wait_s=wait_s,
        )
        number = rollouts_of(command_of(context)).start(request, who())
    tell(context, number, wait=wait)


@rollout.command("list")
def list_(context: typer.Context) -> None:
    """All rollouts, the newest first."""
    command = command_of(context)
    with told_to_person():
        lines = rollouts_of(command).lines({})
    if command.as_json:
        command.show([asdict(line) for line in lines])
        return
    shown = ("id", "what", "title", "state", "reason", "stage", "by", "made_at")
    command.show([{name: getattr(line, name) for name in shown} | {"units": _counts(line)} for line in lines])


@rollout.command("show")
def show(context: typer.Context, number: Number, wait: Wait = False) -> None:
    """How far one is, unit by unit."""
    tell(context, number, wait=wait)


@rollout.command("pause")
def pause(context: typer.Context, number: Number) -> None:
    """Send nothing more for now."""
    _steer(context, number, "pause")


@rollout.command("resume")
def resume(context: typer.Context, number: Number, wait: Wait = False) -> None:
    """Let it go on."""
    _steer(context, number, "resume", wait=wait)


@rollout.command("abort")
def abort(context: typer.Context, number: Number, wait: Wait = False) -> None:
    """End it: whoever has not been sent it is left out."""
    _steer(context, number, "abort", wait=wait)


def _steer(context: typer.Context, number: int, order: Order, *, wait: bool = False) -> None:
    with told_to_person():
        rollouts_of(command_of(context)).steer(number, order, who())
    tell(context, number, wait=wait)


def tell(context: typer.Context, number: int, *, wait: bool) -> None:
    command = command_of(context)
    with told_to_person():
        rollouts = rollouts_of(command)
        line = rollouts.line(number, {})
        while wait and (line.state in GOES_ON or (line.state != "paused" and line.counts.get("sent"))):
            time.sleep(POLL_S)
            line = rollouts.line(number, {})
    if command.as_json:
        command.done(asdict(line), "")
    else:
        why = f": {line.reason}" if line.reason else ""
        command.done({}, f"Rollout {line.id} ({line.title}) is {line.state}{why}. {_counts(line)}")
        rows = [
            {"unit": unit, "stage": stage + 1, "state": state, "reason": reason}
            for unit, stage, state, reason in line.units
        ]
        command.show(rows)
    if wait and line.state != "done":
        raise typer.Exit(BAD_END)


def _payload(what: str, given: list[str], values: dict[str, Any]) -> dict[str, Any]:
    if what == "config":
        from provisioning.config_words import typed

        return values | typed(given, values)
    if not given:
        raise Refused("name", "of the command is missing")
    return {"name": given[0], "arguments": pairs(given[1:]), **values}


def rollouts_of(command: Command) -> Rollouts:
    from provisioning.rollouts import Rollouts

    return Rollouts(command.database, now)


def _counts(line: RolloutLine) -> str:
    return ", ".join(f"{number} {state}" for state, number in sorted(line.counts.items()))
