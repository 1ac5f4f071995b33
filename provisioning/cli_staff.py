"""Commands for who may unlock the rooms' screens, and for the drop-in queues."""

from __future__ import annotations

from typing import Annotated

import typer

from provisioning.cli_context import command_of, secret_from, told_to_person

staff = typer.Typer(
    no_args_is_help=True, help="Who may unlock the screens of a clinic's rooms, each by a PIN."
)
queue = typer.Typer(no_args_is_help=True, help="Where rooms ask for a clinician now.")

Clinic = Annotated[str, typer.Option(help="The clinic's name; made where it is new.")]
PinFromStdin = Annotated[bool, typer.Option(help="Read the PIN from standard input.")]
MemberId = Annotated[str, typer.Argument(help="As `halsorum staff list` tells it.")]


@staff.command("add")
def staff_add(
    context: typer.Context,
    label: Annotated[str, typer.Argument(help="What they choose themselves by: initials, or a first name.")],
    clinic: Clinic,
    pin_stdin: PinFromStdin = False,
) -> None:
    """Let someone in at a clinic's screens; the PIN is asked for, and kept as a digest only."""
    with told_to_person():
        pin = secret_from("PIN (4 to 8 digits)", from_stdin=pin_stdin)
        member = command_of(context).staff.add(label, clinic, pin)
    command_of(context).done(
        {"id": member, "label": label, "clinic": clinic},
        f"{label} may unlock the rooms of {clinic}: {member}",
    )


@staff.command("pin")
def staff_pin(context: typer.Context, member: MemberId, pin_stdin: PinFromStdin = False) -> None:
    """Give someone another PIN."""
    with told_to_person():
        command_of(context).staff.set_pin(member, secret_from("PIN (4 to 8 digits)", from_stdin=pin_stdin))
    command_of(context).done({"id": member}, f"{member} has another PIN as soon as the units are connected.")


@staff.command("remove")
def staff_remove(context: typer.Context, member: MemberId) -> None:
    """End someone's access; a screen they have open locks at once."""
    with told_to_person():
        command_of(context).staff.remove(member)
    command_of(context).done({"id": member, "active": False}, f"{member} may not unlock any more.")


@staff.command("list")
def staff_list(context: typer.Context) -> None:
    """Those who may unlock, by clinic."""
    with told_to_person():
        rows = command_of(context).staff.list()
    command_of(context).show(
        [{"id": row.id, "label": row.label, "clinic": row.clinic.name, "since": row.added_at} for row in rows]
    )


@queue.command("add")
def queue_add(
    context: typer.Context,
    queue_id: Annotated[str, typer.Argument(help="Lowercase letters, digits and hyphens.")],
    clinic: Annotated[str, typer.Option(help="Whose clinicians take the patients.")],
    name: Annotated[str, typer.Option(help="As staff and patients read it.")] = "",
    rooms_of: Annotated[
        list[str] | None,
        typer.Option(help="A clinic whose rooms may ask; may be repeated. None: every one's."),
    ] = None,
) -> None:
    """Open a queue."""
    with told_to_person():
        command_of(context).queues.add(queue_id, name, clinic, rooms_of or ())
    command_of(context).done(
        {"queue": queue_id, "clinic": clinic}, f"Rooms can ask {clinic} for a clinician: {queue_id}"
    )


@queue.command("list")
def queue_list(context: typer.Context) -> None:
    """All open queues, and how many wait in each."""
    with told_to_person():
        rows = command_of(context).queues.list()
    command_of(context).show(
        [
            {
                "queue": row.id,
                "name": row.name,
                "clinic": row.clinic.name,
                "rooms_of": row.rooms_of,
                "waiting": waiting,
            }
            for row, waiting in rows
        ]
    )


@queue.command("remove")
def queue_remove(context: typer.Context, queue_id: str) -> None:
    """Close a queue; the rooms that wait in it are told."""
    with told_to_person():
        command_of(context).queues.remove(queue_id)
    command_of(context).done({"queue": queue_id, "active": False}, f"Queue {queue_id} is closed.")
