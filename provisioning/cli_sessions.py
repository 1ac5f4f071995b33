"""Commands for booked sessions and their log."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from provisioning.cli_context import Command, command_of, now, parse_time, told_to_person
from web.clinic.services import BookingRequest, Refused

# As in cli_context: each command loads what it works with.
if TYPE_CHECKING:
    from provisioning.booking import Booker

log = typer.Typer(no_args_is_help=True, help="The meeting log.")
contract = typer.Typer(no_args_is_help=True, help="The contract between unit and region.")

Start = Annotated[str, typer.Argument(help="Such as 2026-11-22T10:00, where the rooms are.")]
Minutes = Annotated[int, typer.Option(help="How long.")]


def book(  # noqa: PLR0917 - typer's options are arguments
    context: typer.Context,
    room_id: str,
    start: Start,
    minutes: Minutes = 30,
    language: str = "sv",
    method: Annotated[
        list[str] | None, typer.Option(help="code, qr, button, staff; several may be given.")
    ] = None,
    waiting_room: bool = True,
) -> None:
    """Book a room; the code is shown once."""
    from provisioning.models import Room

    command = command_of(context)
    with told_to_person():
        database = command.database
        at = parse_time(start, command.zone, "start")
        with database.read() as db:
            room = db.get(Room, room_id)
        if room is None:
            raise Refused("room", "is not known")
        request = BookingRequest(
            room_id=room_id,
            start=at,
            end=at + timedelta(minutes=minutes),
            language=language,
            methods=tuple(method or ("code", "qr", "staff")),
            waiting_room=waiting_room,
        )
        made = command.bookings.book(_console(room.clinic_id), request)
    command.done(
        {
            "sid": made.sid,
            "ref": made.ref,
            "start": made.start,
            "end": made.end,
            "room": room_id,
            "code": made.code,
            "token": made.token,
        },
        f"Booked {made.ref} in {made.room_name}, session {made.sid}.\nCode, shown only now: {made.code}",
    )


def move(context: typer.Context, sid: str, start: Start, minutes: Minutes = 30) -> None:
    """Move a session within its room; the code stays."""
    command = command_of(context)
    with told_to_person():
        booker = _console(_clinic_of(command, sid))
        at = parse_time(start, command.zone, "start")
        command.bookings.move(booker, sid, at, at + timedelta(minutes=minutes))
    command.done({"sid": sid, "start": at}, f"Session {sid} is moved.")


def cancel(context: typer.Context, sid: str) -> None:
    """Cancel a session."""
    command = command_of(context)
    with told_to_person():
        command.bookings.cancel(_console(_clinic_of(command, sid)), sid)
    command.done({"sid": sid, "cancelled": True}, f"Session {sid} is cancelled.")


def sessions(
    context: typer.Context,
    day: Annotated[str, typer.Option(help="Such as 2026-11-22; today if left out.")] = "",
) -> None:
    """A day's sessions in all rooms."""
    from sqlalchemy import select

    from provisioning.models import BookedSession
    from provisioning.views import is_on_unit

    command = command_of(context)
    with told_to_person():
        database = command.database
        at = parse_time(day, command.zone, "day") if day else now()
        first = datetime.combine(at.astimezone(command.zone).date(), time(), command.zone)
        query = (
            select(BookedSession)
            .where(BookedSession.start >= first, BookedSession.start < first + timedelta(days=1))
            .order_by(BookedSession.start)
        )
        with database.read() as db:
            rows = [
                {
                    "sid": row.sid,
                    "ref": row.ref,
                    "room": row.room_id,
                    "start": row.start.astimezone(command.zone),
                    "end": row.end.astimezone(command.zone),
                    "state": row.state,
                    "check_in": row.methods,
                    "on_unit": is_on_unit(db, row),
                }
                for row in db.scalars(query)
            ]
    command.show(rows)


@log.command("show")
def log_show(context: typer.Context, sid: str) -> None:
    """What happened in a session, in order."""
    from provisioning import meeting_log

    command = command_of(context)
    with told_to_person(), command.database.read() as db:
        rows = [
            {
                "seq": e.seq,
                "at": e.at,
                "source": e.source,
                "kind": e.kind,
                "fields": _fields(command, e.fields),
            }
            for e in meeting_log.of_session(db, sid)
        ]
    command.show(rows)


@log.command("verify")
def log_verify(context: typer.Context) -> None:
    """Check that nothing in the two logs was changed, added or removed; exit code 1 if so."""
    from provisioning import access_log
    from provisioning.log_verification import verify

    command = command_of(context)
    with told_to_person(), command.database.read() as db:
        verdict = verify(db)
        looks, access_fault = access_log.verify(db)
    words = f"{verdict.entries} entries fit, {verdict.unit_events} of them signed by units."
    if verdict.missing_events:
        words += f" {verdict.missing_events} events of units never came; the log says which."
    words += f" {looks} entries of the access log fit."
    if access_fault:
        words += f" Its entry {looks + 1} is the first that does not fit: {access_fault}."
    if not verdict.ok:
        words = f"Entry {verdict.bad_seq} is the first that does not fit: {verdict.reason}."
    command.done(
        {
            "ok": verdict.ok and not access_fault,
            "entries": verdict.entries,
            "unit_events": verdict.unit_events,
            "missing_events": verdict.missing_events,
            "bad_seq": verdict.bad_seq,
            "reason": verdict.reason,
            "access_entries": looks,
            "access_reason": access_fault,
        },
        words,
    )
    if not verdict.ok or access_fault:
        raise typer.Exit(1)


@contract.command("export")
def contract_export(context: typer.Context, folder: Path) -> None:
    """Write JSON Schema and AsyncAPI of the contract into a folder."""
    from agent.contract.export import export

    export(folder)
    command_of(context).done({"folder": str(folder)}, f"The contract is in {folder}.")


def _fields(command: Command, fields: dict[str, object]) -> object:
    return fields if command.as_json else ", ".join(f"{name} {value}" for name, value in fields.items())


def _console(clinic_id: int) -> Booker:
    from provisioning.booking import Booker

    return Booker("console", "it", "console", clinic_id)


def _clinic_of(command: Command, sid: str) -> int:
    from provisioning.models import BookedSession

    with command.database.read() as db:
        row = db.get(BookedSession, sid)
    if row is None:
        raise Refused("session", "is not known")
    return row.room.clinic_id
