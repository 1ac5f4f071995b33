"""What all commands share: the database they work on, and how they print."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import typer
from pydantic_core import to_jsonable_python

from web.clinic.services import NotAllowed, Refused

# The database and what works on it are loaded by the command that needs them: `halsorum --help` waits for none.
if TYPE_CHECKING:
    from provisioning.accounts import Accounts, Clients
    from provisioning.booking import Bookings
    from provisioning.database import Database
    from provisioning.moving import Moving
    from provisioning.queues import Queues
    from provisioning.recipients import Recipients
    from provisioning.rooms import Rooms
    from provisioning.staff import StaffMembers


@dataclass
class Command:
    """One run of the command line."""

    as_json: bool = False
    database_url: str | None = None
    settings_file: Path | None = None
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Europe/Stockholm"))
    _database: Database | None = None

    @property
    def database(self) -> Database:
        """The region's database: named by --database, or by the region's settings."""
        if self._database is None:
            self._database = self.open_database()
            self._database.create()
        return self._database

    def open_database(self) -> Database:
        """The same, as it is: perhaps of another release."""
        from provisioning.database import Database
        from provisioning.settings import load_settings

        url = self.database_url
        if url is None:
            settings = load_settings(self.settings_file)
            url, self.zone = settings.database_url, settings.zone
        return Database(url)

    @property
    def rooms(self) -> Rooms:
        """Rooms and units."""
        from provisioning.rooms import Rooms

        return Rooms(self.database, now)

    @property
    def bookings(self) -> Bookings:
        """Bookings."""
        from provisioning.booking import Bookings

        return Bookings(self.database, now, self.zone)

    @property
    def accounts(self) -> Accounts:
        """Staff accounts."""
        from provisioning.accounts import Accounts

        return Accounts(self.database, now)

    @property
    def staff(self) -> StaffMembers:
        """Who may unlock the rooms' screens."""
        from provisioning.staff import StaffMembers

        return StaffMembers(self.database, now)

    @property
    def queues(self) -> Queues:
        """Drop-in queues."""
        from provisioning.queues import Queues

        return Queues(self.database, now)

    @property
    def recipients(self) -> Recipients:
        """Who is told of rooms that are not ready."""
        from provisioning.recipients import Recipients

        return Recipients(self.database, now)

    @property
    def moving(self) -> Moving:
        """Sessions that go to another room."""
        from provisioning.moving import Moving

        return Moving(self.database, now, self.zone)

    @property
    def clients(self) -> Clients:
        """Booking systems."""
        from provisioning.accounts import Clients

        return Clients(self.database)

    def show(
        self, rows: Sequence[Mapping[str, Any]], title: str = "", *, only_json: Sequence[str] = ()
    ) -> None:
        """A table for people, or a JSON array for programs, which alone gets the columns of `only_json`."""
        plain = [dict(to_jsonable_python(row)) for row in rows]
        if self.as_json:
            print(json.dumps(plain, ensure_ascii=False, indent=1))
            return
        from rich.console import Console
        from rich.table import Table

        plain = [{name: value for name, value in row.items() if name not in only_json} for row in plain]
        table = Table(title=title or None)
        for name in plain[0] if plain else ("nothing yet",):
            table.add_column(name.replace("_", " "), overflow="fold")
        for row in plain:
            table.add_row(*(_cell(value) for value in row.values()))
        # Units' own words are in it: no markup, which a unit could break the table with.
        Console(markup=False, emoji=False).print(table)

    def done(self, values: Mapping[str, Any], words: str) -> None:
        """What was done: a sentence for people, a JSON object for programs."""
        if self.as_json:
            print(json.dumps(to_jsonable_python(dict(values)), ensure_ascii=False))
        else:
            from rich.console import Console

            Console(soft_wrap=True, highlight=False).print(_printable(words), markup=False)


def command_of(context: typer.Context) -> Command:
    """This run's Command."""
    assert isinstance(context.obj, Command)
    return context.obj


@contextmanager
def told_to_person() -> Iterator[None]:
    """Turn what cannot be done into a sentence and exit code 1."""
    from provisioning.database import WrongSchema
    from provisioning.settings import SettingsError

    try:
        yield
    except (Refused, NotAllowed, SettingsError, WrongSchema) as error:
        print(f"Not done: {error}", file=sys.stderr)
        raise typer.Exit(1) from None


def secret_from(prompt: str, *, from_stdin: bool) -> str:
    """A password or PIN, typed twice without echo, or the first line of standard input."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(typer.prompt(prompt, hide_input=True, confirmation_prompt=True))


def parse_time(text: str, zone: ZoneInfo, name: str) -> datetime:
    """A time in ISO 8601; without an offset it is meant where the rooms are."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(name, "is a time such as 2026-11-22T10:00") from None
    return at if at.tzinfo else at.replace(tzinfo=zone)


def now() -> datetime:
    """The clock of the machine the command runs on."""
    return datetime.now(UTC)


def who() -> str:
    """The user at the machine, for the audit log."""
    return f"cli:{getpass.getuser()}"


def _cell(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_cell(item) for item in value)
    return "" if value is None else _printable(str(value))


def _printable(text: str) -> str:
    """Without what a terminal would obey: a unit may say anything of itself."""
    return "".join(each if each.isprintable() or each == "\n" else "\ufffd" for each in text)
