"""Commands for accounts, booking systems, rooms and units."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from provisioning.cli_context import command_of, secret_from, told_to_person, who
from provisioning.cli_units import (
    configurations_of,
    unit_history,
    unit_list,
    unit_retry,
    unit_set,
    unit_show,
    unit_unset,
)

account = typer.Typer(no_args_is_help=True, help="Staff who sign in with a password.")
client = typer.Typer(no_args_is_help=True, help="Booking systems that post FHIR Appointments.")
room = typer.Typer(no_args_is_help=True, help="Rooms, which are what is booked.")
unit = typer.Typer(no_args_is_help=True, help="Units, which stand in rooms.")

unit.command("list")(unit_list)
unit.command("show")(unit_show)
unit.command("history")(unit_history)
unit.command("set")(unit_set)
unit.command("unset")(unit_unset)
unit.command("retry")(unit_retry)

Clinic = Annotated[str, typer.Option(help="The clinic's name; made where it is new.")]


@account.command("add")
def account_add(  # noqa: PLR0917 - typer's options are arguments
    context: typer.Context,
    username: str,
    clinic: Clinic,
    role: Annotated[str, typer.Option(help="clinician, staff or it")] = "clinician",
    name: Annotated[str, typer.Option(help="As colleagues see it.")] = "",
    password_stdin: Annotated[bool, typer.Option(help="Read the password from standard input.")] = False,
) -> None:
    """Make an account; the password is asked for, there is no default."""
    with told_to_person():
        password = secret_from("Password", from_stdin=password_stdin)
        made = command_of(context).accounts.add(username, name, role, clinic, password)
    command_of(context).done(
        {"id": made.id, "username": username.lower(), "role": made.role, "clinic": made.clinic},
        f"{username} may sign in as {made.role} at {made.clinic}.",
    )


@account.command("list")
def account_list(context: typer.Context) -> None:
    """All accounts."""
    with told_to_person():
        rows = command_of(context).accounts.list()
    command_of(context).show(
        [
            {
                "username": name,
                "name": a.name,
                "role": a.role,
                "clinic": a.clinic,
                "id": a.id,
                "active": active,
            }
            for name, a, active in rows
        ]
    )


@account.command("close")
def account_close(context: typer.Context, username: str) -> None:
    """End an account's access."""
    with told_to_person():
        command_of(context).accounts.close(username)
    command_of(context).done({"username": username, "active": False}, f"{username} may not sign in any more.")


@client.command("add")
def client_add(context: typer.Context, name: str, clinic: Clinic) -> None:
    """Let a booking system in; its bearer token is printed once and kept as a digest only."""
    with told_to_person():
        client_id, token = command_of(context).clients.add(name, clinic)
    command_of(context).done(
        {"id": client_id, "token": token}, f"{name} may post with this token, shown only now:\n{token}"
    )


@room.command("add")
def room_add(
    context: typer.Context,
    room_id: Annotated[str, typer.Argument(help="The FHIR Location's id.")],
    clinic: Clinic,
    name: Annotated[str, typer.Option(help="As people call it.")] = "",
) -> None:
    """Make a room."""
    with told_to_person():
        command_of(context).rooms.add_room(room_id, name, clinic)
    command_of(context).done({"room": room_id, "clinic": clinic}, f"Room {room_id} can be booked.")


@room.command("list")
def room_list(context: typer.Context) -> None:
    """All rooms, and the unit in each."""
    with told_to_person():
        rows = command_of(context).rooms.rooms()
    command_of(context).show(
        [{"room": r.id, "name": r.name, "clinic": r.clinic.name, "unit": r.unit_id} for r in rows]
    )


@room.command("assign")
def room_assign(
    context: typer.Context,
    room_id: str,
    unit_id: Annotated[str, typer.Argument(help="The unit, or - to leave the room without one.")],
    even_now: Annotated[bool, typer.Option("--even-now", help="Also while a session is on there.")] = False,
) -> None:
    """Put a unit into a room, in place of the one there; what is booked, and what was set for the room, follow."""
    with told_to_person():
        unit = None if unit_id == "-" else unit_id
        command_of(context).rooms.assign(room_id, unit, by=who(), even_now=even_now)
    command_of(context).done({"room": room_id, "unit": unit_id}, f"In room {room_id} stands now: {unit_id}.")


room.command("swap")(room_assign)


@unit.command("add")
def unit_add(
    context: typer.Context,
    unit_id: str,
    certificate: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="The unit's certificate.")],
) -> None:
    """Make a unit known, or give a known one its new certificate."""
    with told_to_person():
        command_of(context).rooms.add_unit(unit_id, certificate.read_bytes())
    command_of(context).done({"unit": unit_id}, f"Unit {unit_id} is known.")


@unit.command("pin")
def unit_pin(
    context: typer.Context,
    unit_id: str,
    pin_stdin: Annotated[bool, typer.Option(help="Read the PIN from standard input.")] = False,
) -> None:
    """Set the PIN of a room whose clinic has no list of staff; the unit gets a digest only."""
    with told_to_person():
        pin = secret_from("PIN", from_stdin=pin_stdin)
        from argon2 import PasswordHasher

        from provisioning.staff import check_pin

        check_pin(pin)

        configurations_of(command_of(context)).set_unit(
            unit_id, {"staff_pin_digest": PasswordHasher().hash(pin)}, who()
        )
    command_of(context).done({"unit": unit_id}, f"Unit {unit_id} gets the new PIN when it is connected.")


@unit.command("config")
def unit_config(
    context: typer.Context,
    unit_id: str,
    phone: Annotated[str | None, typer.Option(help="Shown when nobody answers a call for help.")] = None,
    language: Annotated[
        list[str] | None, typer.Option(help="May be given several times, first first.")
    ] = None,
) -> None:
    """Set what a unit shows."""
    values: dict[str, Any] = {}
    if phone is not None:
        values["phone"] = phone
    if language:
        values["languages"] = language
    with told_to_person():
        configurations_of(command_of(context)).set_unit(unit_id, values, who())
    command_of(context).done({"unit": unit_id, **values}, f"Unit {unit_id} gets this when it is connected.")


@unit.command("network")
def unit_network(
    context: typer.Context,
    unit_id: str,
    ice_transport_policy: Annotated[
        str | None, typer.Option(help='"relay": media through TURN alone; "all": directly where that works.')
    ] = None,
    media_ports: Annotated[
        str | None, typer.Option(help='UDP ports of the media, as "50000-50099"; empty: any.')
    ] = None,
    dscp: Annotated[int | None, typer.Option(help="Mark of the media's packets; 0: none.")] = None,
) -> None:
    """Set how a unit's picture and sound leave it, from its next call on."""
    given = {"ice_transport_policy": ice_transport_policy, "media_ports": media_ports, "dscp": dscp}
    values: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    with told_to_person():
        configurations_of(command_of(context)).set_unit(unit_id, values, who())
    command_of(context).done({"unit": unit_id, **values}, f"Unit {unit_id} gets this when it is connected.")
