"""`halsorum group`: units that share a part of their configuration."""

from __future__ import annotations

from typing import Annotated

import typer

from provisioning.cli_context import command_of, told_to_person, who
from provisioning.cli_units import ConfigFile, Pairs, configurations_of, from_file, in_a_line
from web.clinic.services import Refused

group = typer.Typer(no_args_is_help=True, help="Units that share a part of their configuration.")

Name = Annotated[str, typer.Argument(help="The group's name.")]


@group.command("add")
def group_add(
    context: typer.Context,
    name: Name,
    about: Annotated[str, typer.Option(help="What it is for.")] = "",
    rank: Annotated[int, typer.Option(help="Of two groups that set the same, the higher holds.")] = 0,
) -> None:
    """Make a group, or change what is said of it."""
    command = command_of(context)
    with told_to_person():
        configurations_of(command).make_group(name, about, rank, who())
    command.done({"group": name, "rank": rank}, f"Group {name} is there, with rank {rank}.")


@group.command("remove")
def group_remove(context: typer.Context, name: Name) -> None:
    """Its units lose what it set."""
    command = command_of(context)
    with told_to_person():
        configurations_of(command).drop_group(name, who())
    command.done({"group": name, "removed": True}, f"Group {name} is gone; its units are told.")


@group.command("list")
def group_list(context: typer.Context) -> None:
    """All groups, the highest rank first, and what each sets."""
    command = command_of(context)
    with told_to_person():
        lines = configurations_of(command).groups()
    command.show(
        [
            {
                "group": each.name,
                "about": each.about,
                "rank": each.rank,
                "units": each.units,
                "sets": each.config if command.as_json else in_a_line(each.config),
            }
            for each in lines
        ]
    )


@group.command("members")
def group_members(
    context: typer.Context,
    name: Name,
    add: Annotated[list[str] | None, typer.Option(help="A unit to put in; may be repeated.")] = None,
    remove: Annotated[list[str] | None, typer.Option(help="A unit to take out; may be repeated.")] = None,
) -> None:
    """Put units in, take units out, and tell who is in."""
    command = command_of(context)
    with told_to_person():
        configurations = configurations_of(command)
        if add or remove:
            configurations.set_members(name, add or (), remove or (), who())
        members = list(configurations.members(name))
    command.done({"group": name, "units": members}, "\n".join(members) or f"No unit is in {name}.")


@group.command("set")
def group_set(context: typer.Context, name: Name, pairs: Pairs = None, file: ConfigFile = None) -> None:
    """Set fields that the group's units get; refused for all if one of them could not have it."""
    from provisioning.config_words import typed

    command = command_of(context)
    with told_to_person():
        configurations = configurations_of(command)
        before = next((each.config for each in configurations.groups() if each.name == name), {})
        values = from_file(file) | typed(pairs or [], before)
        if not values:
            raise Refused("values", "are missing: write FIELD=VALUE, or --file")
        configurations.set_group(name, values, who())
    command.done(
        {"group": name, "set": sorted(values)}, f"The units in {name} get this as they are connected."
    )


@group.command("unset")
def group_unset(
    context: typer.Context, name: Name, fields: Annotated[list[str], typer.Argument(metavar="FIELD...")]
) -> None:
    """Set these fields no more."""
    command = command_of(context)
    with told_to_person():
        configurations_of(command).set_group(name, dict.fromkeys(fields), who())
    command.done({"group": name, "given_back": sorted(fields)}, f"{name} sets this no more.")
