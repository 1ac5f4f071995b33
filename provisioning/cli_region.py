"""`halsorum region`: rooms that are booked and not ready: who is told, and where their sessions go."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from provisioning.cli_context import command_of, now, told_to_person, who
from web.clinic.services import Refused

region = typer.Typer(
    no_args_is_help=True, help="Rooms that are booked and not ready: who is told, where sessions go."
)
recipients = typer.Typer(no_args_is_help=True, help="Who is told, by mail and webhook.")
sessions = typer.Typer(no_args_is_help=True, help="Sessions that go to another room.")
region.add_typer(recipients, name="recipients")
region.add_typer(sessions, name="sessions")

RecipientId = Annotated[int, typer.Argument(help="As `halsorum region recipients list` tells it.")]
OfClinic = Annotated[str | None, typer.Option(help="Of this clinic alone.")]


@region.command("not-ready")
def not_ready(context: typer.Context, clinic: OfClinic = None) -> None:
    """Rooms that are booked today and not ready, worst first."""
    from agent.contract.instructions import text
    from provisioning.readiness import not_ready_today

    command = command_of(context)
    with told_to_person(), command.database.read() as db:
        lines = not_ready_today(db, clinic, now(), command.zone)
    command.show(
        [
            {
                "room": line.room_id,
                "unit": line.unit,
                "next": line.next_start.astimezone(command.zone).isoformat(timespec="minutes"),
                "ref": line.next.ref,
                "sessions": line.remaining,
                "level": line.level,
                "instruction": line.instruction,
                "do": text("sv", line.instruction).do,
                "since": line.since,
                "told": [f"{each.recipient} {each.channel} {each.state}" for each in line.told],
                "sid": line.next.sid,
                "faults": line.faults,
            }
            for line in lines
        ],
        only_json=("sid", "faults"),
    )


@region.command("figures")
def figures(
    context: typer.Context,
    month: Annotated[str, typer.Argument(help="Such as 2026-11.")],
    unit: Annotated[str | None, typer.Option(help="Of this unit alone.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write all figures to this file.")] = None,
) -> None:
    """How ready the rooms were in a month: sessions that began in time, why others did not, and faults."""
    from provisioning.readiness_figures import as_csv
    from provisioning.readiness_figures import figures as count

    command = command_of(context)
    with told_to_person(), command.database.read() as db:
        try:
            months = count(db, month, command.zone, now(), unit=unit)
        except ValueError:
            raise Refused("month", f"{month} is none; write it as 2026-11") from None
        if csv is not None:
            csv.write_text(as_csv(months), newline="")
    command.show(
        [
            {
                "unit": each.unit,
                "held": each.held,
                "in_time": each.in_time,
                "share": None if each.share is None else round(each.share, 3),
                **{f"late_{cause}": late for cause, late in each.causes.items()},
                "faults": ", ".join(
                    f"{f.instruction} {f.count}x, median {f.median_minutes:g} min" for f in each.faults
                ),
            }
            for each in months
        ]
    )


@recipients.command("add")
def recipients_add(  # noqa: PLR0917 - typer's options are arguments
    context: typer.Context,
    clinic: Annotated[str, typer.Argument(help="The clinic's name.")],
    name: Annotated[str, typer.Argument(help="A function or a person: Receptionen.")],
    email: Annotated[str | None, typer.Option(help="Where mail goes.")] = None,
    webhook: Annotated[str | None, typer.Option(help="https:// where JSON is posted.")] = None,
    language: Annotated[str, typer.Option(help="sv or en.")] = "sv",
) -> None:
    """Have someone told when a booked room of the clinic cannot be used, and when it is well again."""
    from provisioning.recipients import Wish

    command = command_of(context)
    with told_to_person():
        made = command.recipients.add(Wish(clinic, name, email, webhook, language), who())
    command.done(
        {"id": made, "clinic": clinic, "name": name},
        f"{name} of {clinic} is told from now on: {made}. Try it: halsorum region recipients test {made}",
    )


@recipients.command("list")
def recipients_list(context: typer.Context, clinic: OfClinic = None) -> None:
    """Who is told, and what became of the last notice to each."""
    command = command_of(context)
    with told_to_person():
        rows = command.recipients.list(clinic)
    command.show(
        [
            {
                "id": row.id,
                "clinic": row.clinic.name,
                "name": row.name,
                "email": row.email,
                "webhook": row.webhook,
                "language": row.language,
                "last": last.state if last else None,
                "at": (last.sent_at or last.made_at) if last else None,
                "reason": last.reason if last else "",
            }
            for row, last in rows
        ]
    )


@recipients.command("remove")
def recipients_remove(context: typer.Context, recipient: RecipientId) -> None:
    """Tell someone no more, and forget the address."""
    command = command_of(context)
    with told_to_person():
        command.recipients.remove(recipient, who())
    command.done({"id": recipient, "removed": True}, f"{recipient} is told no more, and the address is gone.")


@recipients.command("test")
def recipients_test(context: typer.Context, recipient: RecipientId) -> None:
    """Send a test notice now, by the mail server and secret of the region's settings; exit code 1 if it fails."""
    from provisioning.notice_parts import channels
    from provisioning.settings import load_settings

    command = command_of(context)
    with told_to_person():
        ways = channels(load_settings(command.settings_file), now)
        told = command.recipients.test(recipient, ways)
        failed = [f"{channel}: {reason}" for channel, reason in told.items() if reason]
        if failed:
            raise Refused("test", "; ".join(failed))
    command.done({"id": recipient, "sent": list(told)}, f"Sent by {' and '.join(told)}.")


@sessions.command("rooms")
def sessions_rooms(context: typer.Context, sid: str) -> None:
    """Rooms of the same centre that are ready, and free at the session's time."""
    command = command_of(context)
    with told_to_person():
        rows = command.moving.free_ready_rooms(sid)
    command.show([{"room": row.id, "name": row.name, "unit": row.unit} for row in rows])


@sessions.command("move")
def sessions_move(
    context: typer.Context,
    sid: str,
    room: Annotated[str, typer.Argument(help="One of `halsorum region sessions rooms SID`.")],
) -> None:
    """Move a session to another room; its time, ref and code stay, and the booking system sees the new room."""
    from provisioning.booking import Booker
    from provisioning.models import BookedSession

    command = command_of(context)
    with told_to_person():
        with command.database.read() as db:
            row = db.get(BookedSession, sid)
        if row is None:
            raise Refused("session", "is not known")
        command.moving.move_session(Booker(who(), "it", "console", row.room.clinic_id), sid, room)
    command.done({"sid": sid, "room": room}, f"Session {row.ref} is in {room} now; its code stays.")
