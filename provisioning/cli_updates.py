"""`halsorum update`: a new system for one unit, or for many in stages."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from provisioning.cli_commands import BAD_END, await_end, commands_of, duration, row, sentence
from provisioning.cli_context import command_of, told_to_person, who
from provisioning.cli_rollouts import Wait, rollouts_of, tell
from web.clinic.services import Refused

# As in cli_context: the command loads what it works with.
if TYPE_CHECKING:
    from collections.abc import Mapping

update = typer.Typer(no_args_is_help=True, help="New systems for units: signed bundles, fetched over HTTPS.")

TOLD = ("version", "compatible", "size", "sha256")
Description = Annotated[
    Path, typer.Argument(metavar="BUNDLE.json", help="What `make bundle` wrote beside the bundle.")
]
Url = Annotated[str, typer.Option(help="Where units fetch the bundle: https.")]
Downgrade = Annotated[bool, typer.Option("--allow-downgrade", help="Also where a later version runs.")]
Within = Annotated[str, typer.Option(help="How long it may take once begun, waiting included: 2h, 1d.")]


@update.command("send")
def send(  # noqa: PLR0917 - typer's options are arguments
    context: typer.Context,
    unit: str,
    bundle: Description,
    url: Url,
    allow_downgrade: Downgrade = False,
    expires: Annotated[str, typer.Option(help="How long it may wait for the unit: 2h, 7d.")] = "7d",
    timeout: Within = "1d",
    wait: Annotated[bool, typer.Option("--wait", help="Until it is over; exit code 3 if not well.")] = False,
) -> None:
    """Give one unit a new system. It fetches it, starts it in a free moment, and keeps it if all is well."""
    with told_to_person():
        commands = commands_of(context)
        command_id = commands.send(
            unit,
            "update",
            arguments_of(bundle, url, allow_downgrade=allow_downgrade),
            by=who(),
            expires_in=duration(expires, "expires"),
            timeout_s=int(duration(timeout, "timeout").total_seconds()),
        )
        line = await_end(commands, command_id) if wait else commands.line(command_id)
    command_of(context).done(row(line), sentence(line))
    if wait and line.state != "succeeded":
        raise typer.Exit(BAD_END)


@update.command("rollout")
def rollout(  # noqa: PLR0917 - likewise
    context: typer.Context,
    bundle: Description,
    url: Url,
    unit: Annotated[list[str] | None, typer.Option(help="A unit; may be repeated.")] = None,
    group: Annotated[list[str] | None, typer.Option(help="All of a group; may be repeated.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All units.")] = False,
    stages: Annotated[str, typer.Option(help="Units or shares, such as 1,10%,100%.")] = "1,10%,100%",
    failures: Annotated[str, typer.Option(help="As many, or such a share, may fail.")] = "5%",
    allow_downgrade: Downgrade = False,
    timeout: Within = "1d",
    wait: Wait = False,
) -> None:
    """Give many units a new system in stages; it stops by itself when too many fail."""
    from web.clinic.fleet.services import RolloutRequest

    with told_to_person():
        if not (unit or group) and not everything:
            raise Refused("units", "are missing: name them with --unit or --group, or say --all")
        given = arguments_of(bundle, url, allow_downgrade=allow_downgrade)
        seconds = int(duration(timeout, "timeout").total_seconds())
        request = RolloutRequest(
            what="command",
            title=f"update {given['version']}",
            payload={"name": "update", "arguments": given, "timeout_s": seconds},
            units=tuple(unit or ()),
            groups=tuple(group or ()),
            stages=tuple(part.strip() for part in stages.split(",")),
            failures_allowed=failures,
        )
        number = rollouts_of(command_of(context)).start(request, who())
    tell(context, number, wait=wait)


def arguments_of(description: Path, url: str, *, allow_downgrade: bool) -> Mapping[str, str]:
    """What the command is given; a bundle that lies beside its description is looked at. Raises Refused."""
    try:
        told = json.loads(description.read_text())
        given = {name: str(told[name]) for name in TOLD}
    except OSError as error:
        raise Refused("bundle", f"{description} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise Refused("bundle", f"{description} is not what make bundle writes beside a bundle") from None
    file = description.with_suffix(".raucb")
    if file.is_file() and _sha256(file) != given["sha256"]:
        raise Refused("bundle", f"{file} is another than {description.name} tells of; make it anew")
    return {"url": url, **given, **({"allow_downgrade": "yes"} if allow_downgrade else {})}


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
