"""Who is told, as IT writes it down at the command line; and the settings it takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from agent.contract.status import Fault, Status
from provisioning import audit_views
from provisioning.cli import app
from provisioning.database import Database
from provisioning.fleet import Fleet
from provisioning.notice_settings import is_address
from provisioning.settings import SettingsError, load_settings
from tests.provisioning.conftest import CLINIC
from tests.provisioning.hook_server import hook_server
from tests.provisioning.mail_server import Mailbox, mail_server
from web.clinic.services import BookingRequest

COMMAND = get_command(app)
BROKER = '[broker]\nca_file = "ca.pem"\ncertificate_file = "region.pem"\nkey_file = "region.key"\n'


@pytest.fixture
def run(database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Types `halsorum region …`."""
    monkeypatch.setattr("provisioning.database.Database", lambda url: {"url:": database}[url])
    monkeypatch.setattr("typer.testing._get_command", {app: COMMAND}.__getitem__)
    settings = ("--settings", str(tmp_path / "region.toml"))

    def type_in(*arguments: str, code: int = 0) -> Any:
        line = ["--database", "url:", *settings, "--json", "region", *arguments]
        done = CliRunner().invoke(app, line)
        assert done.exit_code == code, done.output
        return json.loads(done.stdout) if code == 0 else done.output

    return type_in


def write_settings(tmp_path: Path, more: str = "") -> Path:
    file = tmp_path / "region.toml"
    file.write_text(f'database_url = "sqlite://"\nstate_dir = "{tmp_path}"\n{BROKER}{more}')
    return file


def test_a_recipient_is_added_listed_tried_and_removed(run: Any, tmp_path: Path, database: Database) -> None:
    (tmp_path / "webhook.secret").write_text("a secret of thirty-two characters")
    with mail_server(Mailbox()) as mailbox, hook_server() as inbound:
        write_settings(
            tmp_path,
            f'[smtp]\nhost = "127.0.0.1"\nport = {mailbox.port}\nsecurity = "none"\n'
            f'sender = "halsorum@region.example"\n[webhook]\nsecret_file = "{tmp_path}/webhook.secret"\n',
        )
        made = run(
            "recipients", "add", CLINIC, "Receptionen", "--email", "reception@vc.example", "--webhook", inbound.url
        )  # fmt: skip
        assert run("recipients", "test", str(made["id"])) == {"id": made["id"], "sent": ["email", "webhook"]}
        assert mailbox.mails[0]["Subject"] == "Prov från Hälsorum till Receptionen"
        assert inbound.told[0]["type"] == "test"
        inbound.statuses = [500]
        assert "webhook: the receiver says 500" in run("recipients", "test", str(made["id"]), code=1)
    (row,) = run("recipients", "list")
    assert (row["name"], row["email"], row["language"], row["last"]) == (
        "Receptionen",
        "reception@vc.example",
        "sv",
        None,
    )
    run("recipients", "remove", str(made["id"]))
    assert run("recipients", "list", "--clinic", CLINIC) == []
    with database.read() as db:
        noted = [(line.action, line.fields) for line in audit_views.lines(db, {}, target=CLINIC)]
    ways = {"recipient": made["id"], "ways": "email, webhook"}
    assert noted == [("remove_recipient", ways), ("add_recipient", ways)], "nobody's name or address"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("Norra", "IT", "--email", "it@vc.example"), f"'Norra' is not known; known are: {CLINIC}"),
        ((CLINIC, "IT"), "or webhook is needed"),
        ((CLINIC, " ", "--email", "it@vc.example"), "1 to 120 characters"),
        ((CLINIC, "IT", "--email", "it.vc.example"), "'it.vc.example' is no address"),
        ((CLINIC, "IT", "--email", "it@vc.example\nBcc: x@y.z"), "is no address"),
        ((CLINIC, "IT", "--webhook", "http://larm.vc.example/x"), "begins with https://"),
        ((CLINIC, "IT", "--webhook", "https://user:pw@larm.vc.example/"), "user or password"),
        ((CLINIC, "IT", "--webhook", "larm"), "is an address such as"),
        ((CLINIC, "IT", "--webhook", "https://larm.vc.example:port/"), "is an address such as"),
        ((CLINIC, "IT", "--email", "it@vc.example", "--language", "fi"), "is one of sv, en"),
    ],
)
def test_what_nothing_could_be_sent_to_is_refused(
    run: Any, arguments: tuple[str, ...], complaint: str
) -> None:
    assert complaint in run("recipients", "add", *arguments, code=1)
    assert run("recipients", "list") == []


def test_one_that_is_not_there_is_said(run: Any, tmp_path: Path) -> None:
    write_settings(tmp_path)
    assert "7 is not known" in run("recipients", "remove", "7", code=1)
    assert "7 is not known" in run("recipients", "test", "7", code=1)
    made = run("recipients", "add", CLINIC, "IT", "--email", "it@vc.example")
    assert "no mail server is set" in run("recipients", "test", str(made["id"]), code=1)


def test_a_room_that_is_not_ready_is_shown_and_its_session_moved(
    run: Any, database: Database, rooms: Any, bookings: Any, booker: Any, clock: Any, monkeypatch: Any
) -> None:
    for module in ("cli_context", "cli_region"):
        monkeypatch.setattr(f"provisioning.{module}.now", clock)
    rooms.assign("west", "unit-2")
    fleet = Fleet(database, clock)
    fault = Fault(probe="camera", instruction="camera_covered")
    fleet.status("unit-1", Status(state="degraded", boot=1, faults=(fault,)))
    fleet.status("unit-2", Status(state="ready", boot=1))
    clock.pass_by(minutes=1)
    sid = bookings.book(booker, BookingRequest("east", clock.now, clock.now.replace(hour=9))).sid
    (line,) = run("not-ready", "--clinic", CLINIC)
    assert (line["room"], line["instruction"], line["sid"]) == ("east", "camera_covered", sid)
    assert line["do"] == "Öppna kamerans lucka och ta bort det som täcker den."
    assert run("sessions", "rooms", sid) == [{"room": "west", "name": "West", "unit": "unit-2"}]
    assert "is not known" in run("sessions", "move", sid, "attic", code=1)
    assert "is not known" in run("sessions", "move", "nosuchsession", "west", code=1)
    assert run("sessions", "move", sid, "west") == {"sid": sid, "room": "west"}
    assert run("not-ready") == []
    with database.read() as db:
        (noted,) = audit_views.lines(db, {}, target="west", limit=1)
    assert noted.by.startswith("cli:")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('[smtp]\nhost = "mail"\nsender = "x"', "smtp.sender"),
        ('[smtp]\nhost = "mail"\nsender = "a@b.c"\nsecurity = "none"', "on this machine"),
        ('[smtp]\nhost = "mail"\nsender = "a@b.c"\nuser = "halsorum"', "belong together"),
        ("[webhook]", "webhook.secret_file"),
        ('[smtp]\nhost = "mail"\nsender = "a@b.c"\npassword = "x"', "smtp.password"),
    ],
)
def test_settings_that_could_not_work_are_named(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint.replace(".", r"\.")):
        load_settings(write_settings(tmp_path, text), {})


def test_a_port_left_out_follows_from_the_security_and_the_environment_overrules(tmp_path: Path) -> None:
    file = write_settings(tmp_path, '[smtp]\nhost = "mail"\nsender = "a@b.example"\n')
    smtp = load_settings(file, {}).smtp
    assert smtp is not None
    assert (smtp.security, smtp.used_port) == ("starttls", 587)
    other = load_settings(file, {"HALSORUM_SMTP__SECURITY": "tls"}).smtp
    assert other is not None
    assert other.used_port == 465


@pytest.mark.parametrize(
    "text", ["", "@", "a@", "@b", "a b@c", "a@b@c", "a,b@c", "<a@b>", "å@b.se", "a..b@c", "a@b c"]
)
def test_what_is_no_address(text: str) -> None:
    assert not is_address(text)
