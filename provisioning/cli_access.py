"""`halsorum log access`: who looked at what, for whoever follows it up."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from provisioning.cli_context import Command, command_of, parse_time, told_to_person
from web.clinic.services import Refused

if TYPE_CHECKING:
    from provisioning.people_models import AccessEntry

FIELDS = ("seq", "at", "account", "name", "identified", "role", "clinic", "kind", "sid", "day", "outcome")
STANDARD_OUTPUT = Path("-")


def access(  # noqa: PLR0917 - typer's options are arguments
    context: typer.Context,
    sid: Annotated[str | None, typer.Option(help="Of one session.")] = None,
    account: Annotated[str | None, typer.Option(help="Of one account, by its id.")] = None,
    subject: Annotated[
        str | None, typer.Option(help="Of one person, by their subject at the OpenID provider.")
    ] = None,
    since: Annotated[str | None, typer.Option(help="Such as 2026-11-22 or 2026-11-22T10:00.")] = None,
    until: Annotated[str | None, typer.Option(help="Up to, but not at, that time.")] = None,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", help="Write a file for a spreadsheet; - is standard output.")
    ] = None,
) -> None:
    """Who looked at which clinic's sessions, when, and how they were identified (PDL)."""
    from provisioning import access_log

    command = command_of(context)
    with told_to_person():
        database = command.database
        question = access_log.Question(
            sid=sid,
            account_ids=_accounts(command, account, subject),
            since=parse_time(since, command.zone, "since") if since else None,
            until=parse_time(until, command.zone, "until") if until else None,
        )
        with database.read() as db:
            names = access_log.names(db)
            rows = (_row(command, entry, names) for entry in access_log.entries(db, question))
            if csv_file is None:
                command.show(list(rows))
            else:
                number = _write(csv_file, rows)
    if csv_file is not None and csv_file != STANDARD_OUTPUT:
        command.done({"entries": number, "file": str(csv_file)}, f"{number} entries are in {csv_file}.")


def _accounts(command: Command, account: str | None, subject: str | None) -> frozenset[str] | None:
    if subject is None:
        return None if account is None else frozenset({account})
    from provisioning.settings import load_settings

    oidc = load_settings(command.settings_file).oidc
    if oidc is None:
        raise Refused("subject", "needs [oidc] in the region's settings (--settings)")
    return command.accounts.ids_of(oidc.issuer, subject)


def _row(command: Command, entry: AccessEntry, names: Mapping[str, str]) -> dict[str, object]:
    values = {
        "at": entry.at.astimezone(command.zone).isoformat(timespec="seconds"),
        "account": entry.account_id,
        "name": names.get(entry.account_id, ""),
    }
    return {field: values.get(field, getattr(entry, field, None)) for field in FIELDS}


def _write(file: Path, rows: Iterable[Mapping[str, object]]) -> int:
    number = 0
    with _opened(file) as output:
        writer = csv.DictWriter(output, FIELDS)
        writer.writeheader()
        for row in rows:
            writer.writerow({field: _plain(value) for field, value in row.items()})
            number += 1
    return number


def _opened(file: Path) -> IO[str] | nullcontext[IO[str]]:
    if file == STANDARD_OUTPUT:
        return nullcontext(sys.stdout)
    try:
        return file.open("x", encoding="utf-8", newline="")
    except FileExistsError:
        raise Refused("csv", "is there already; name another file") from None
    except OSError as error:
        raise Refused("csv", f"cannot be written: {error.strerror}") from None


def _plain(value: object) -> object:
    """A spreadsheet reads a text that begins so as a formula, and names are what people gave themselves."""
    return (
        f"'{value}"
        if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r"))
        else value
    )
