"""A notice on its way out: to a mail server and to a web server that are really there."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ssl
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.contract.instructions import text
from provisioning.notice_channels import Mail, NotSent, Webhook
from provisioning.notice_settings import SmtpSettings, WebhookSettings
from provisioning.notice_text import LANGUAGES, Frame, Message, body, subject, texts
from tests.provisioning.conftest import ZONE
from tests.provisioning.hook_server import Inbound, hook_server
from tests.provisioning.mail_server import Mailbox, mail_server

NOW = datetime(2026, 11, 23, 9, 5, tzinfo=UTC)
FRAME = Frame(ZONE, "https://video.region.example/")
COVERED = Message(
    id="halsorum.7.1795424700",
    kind="fault",
    language="sv",
    name="Receptionen",
    room="Hälsorum 1",
    room_id="east",
    unit="unit-1",
    instruction="camera_covered",
    level="fail",
    since=NOW - timedelta(minutes=1),
    next_start=NOW + timedelta(minutes=25),
    ref="A17",
)
SECRET = "a secret of thirty-two characters"


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with mail_server(Mailbox()) as mailbox:
        yield mailbox


@pytest.fixture
def inbound() -> Iterator[Inbound]:
    with hook_server() as inbound:
        yield inbound


def mail(mailbox: Mailbox, **changes: Any) -> Mail:
    plain = {
        "host": "127.0.0.1",
        "port": mailbox.port,
        "security": "none",
        "sender": "halsorum@region.example",
    }
    return Mail(SmtpSettings(**(plain | changes)), FRAME, lambda: NOW)


def webhook(tmp_path: Path, secret: str = SECRET) -> Webhook:
    file = tmp_path / "webhook.secret"
    file.write_text(f"{secret}\n")
    return Webhook(WebhookSettings(secret_file=file), FRAME, lambda: NOW)


def test_the_mail_says_in_its_subject_what_is_wrong_where_and_until_when(mailbox: Mailbox) -> None:
    mail(mailbox).send("reception@vc.example", COVERED)
    (came,) = mailbox.mails
    assert mailbox.envelopes == [("halsorum@region.example", "reception@vc.example")]
    assert came["Subject"] == "Hälsorum 1: Kameran är täckt – nästa besök 10.30"
    assert came["Message-ID"] == "<halsorum.7.1795424700@region.example>"
    assert (came["Auto-Submitted"], came["Content-Language"]) == ("auto-generated", "sv")
    assert came["To"].addresses[0].display_name == "Receptionen"
    assert came.get_content().splitlines() == [
        text("sv", "camera_covered").do,
        "",
        "Rum: Hälsorum 1.",
        "Fel: Kameran är täckt, sedan 10.04.",
        "Rummet går inte att använda förrän det är avhjälpt.",
        "Nästa besök: 10.30 (A17).",
        "",
        "Se läget, eller flytta besöket till ett annat rum: https://video.region.example/readiness",
        "",
        "-- ",
        "Meddelandet kommer av sig självt från Hälsorum. Det går inte att svara på det.",
    ]


def test_that_it_is_well_again_answers_the_mail_that_told_of_the_fault(mailbox: Mailbox) -> None:
    well = replace(COVERED, kind="well", id="halsorum.9.1", of=COVERED.id, next_start=None, language="en")
    mail(mailbox).send("reception@vc.example", well)
    (came,) = mailbox.mails
    assert came["Subject"] == "Hälsorum 1 is ready again"
    assert came["In-Reply-To"] == "<halsorum.7.1795424700@region.example>"
    assert "http" not in came.get_content()


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (NOW + timedelta(hours=22), "i morgon 08.05"),
        (NOW + timedelta(days=3), "26/11 10.05"),
        (None, None),
    ],
)
def test_a_visit_of_another_day_has_its_day(start: datetime | None, words: str | None) -> None:
    said = subject(replace(COVERED, next_start=start), FRAME, NOW)
    assert said == "Hälsorum 1: Kameran är täckt" + (f" – nästa besök {words}" if words else "")


def test_what_only_warns_says_that_the_room_can_be_used() -> None:
    said = body(replace(COVERED, instruction="camera_dark", level="warn"), FRAME, NOW)
    assert said.startswith("Tänd lampan i rummet.")
    assert "går att använda, men" in said


def test_both_languages_have_the_same_words() -> None:
    assert len({frozenset(texts(language)) for language in LANGUAGES}) == 1


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_the_password_goes_over_tls_alone(
    authority: Any, mailbox: Mailbox, tmp_path: Path, security: str
) -> None:
    made = authority.server(["localhost"], tmp_path / "server")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate_file, made.key_file)
    mailbox.tls, mailbox.user, mailbox.password = context, "halsorum", "hemligt"
    mailbox.starts_with_tls = security == "tls"
    password = tmp_path / "smtp.password"
    password.write_text("hemligt\n")
    changes = {"host": "localhost", "security": security, "user": "halsorum", "password_file": password}
    mail(mailbox, **changes, ca_file=made.ca_file).send("it@vc.example", COVERED)
    assert mailbox.was_tls == [True]
    with pytest.raises(NotSent, match="SSLCertVerificationError"):
        mail(mailbox, **changes).send("it@vc.example", COVERED)
    password.write_text("fel")
    with pytest.raises(NotSent, match="says 535"):
        mail(mailbox, **changes, ca_file=made.ca_file).send("it@vc.example", COVERED)
    password.unlink()
    with pytest.raises(NotSent, match=r"smtp\.password cannot be read"):
        mail(mailbox, **changes, ca_file=made.ca_file).send("it@vc.example", COVERED)
    assert len(mailbox.mails) == 1


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ({"RCPT": "550 5.1.1 reception@vc.example unknown"}, r"refuses the recipient \(550\)"),
        ({"MAIL": "451 later"}, "says 451"),
        ({"DATA": "554 no"}, "says 554"),
    ],
)
def test_a_refusal_is_told_without_the_address(
    mailbox: Mailbox, answers: dict[str, str], reason: str
) -> None:
    mailbox.answers = answers
    with pytest.raises(NotSent, match=reason) as told:
        mail(mailbox).send("reception@vc.example", COVERED)
    assert "reception" not in str(told.value)
    assert mailbox.mails == []


def test_what_a_server_has_taken_is_sent_however_it_says_good_bye(mailbox: Mailbox) -> None:
    mailbox.answers = {"QUIT": "421 too many connections"}
    mail(mailbox).send(
        "reception@vc.example", COVERED
    )  # a failure here would have it sent again for two hours
    assert len(mailbox.mails) == 1


def test_a_long_subject_keeps_its_spaces_and_a_rooms_name_adds_no_header(mailbox: Mailbox) -> None:
    told = replace(COVERED, instruction="no_unit", room="East\r\nBcc: all@vc.example")
    mail(mailbox).send("reception@vc.example", told)
    (came,) = mailbox.mails
    assert came["Subject"] == " ".join(subject(told, FRAME, NOW).split())
    assert came["Bcc"] is None
    assert all(len(line) <= 78 for line in came.as_bytes().split(b"\n\n")[0].splitlines())


def test_a_server_without_starttls_or_that_is_away_gets_no_mail(mailbox: Mailbox) -> None:
    with pytest.raises(NotSent, match="no STARTTLS"):
        mail(mailbox, security="starttls").send("reception@vc.example", COVERED)
    with pytest.raises(NotSent, match="ConnectionRefusedError"):
        mail(mailbox, port=1).send("reception@vc.example", COVERED)
    with pytest.raises(NotSent, match="no mail server is set"):
        Mail(None, FRAME, lambda: NOW).send("reception@vc.example", COVERED)


def test_a_webhook_is_signed_over_id_time_and_content(inbound: Inbound, tmp_path: Path) -> None:
    webhook(tmp_path).send(inbound.url, COVERED)
    ((headers, content),) = inbound.posts
    assert inbound.told == [
        {
            "id": "halsorum.7.1795424700",
            "type": "fault",
            "language": "sv",
            "room": "Hälsorum 1",
            "room_id": "east",
            "unit": "unit-1",
            "instruction": "camera_covered",
            "fault": text("sv", "camera_covered").fault,
            "do": text("sv", "camera_covered").do,
            "level": "fail",
            "since": "2026-11-23T10:04:00+01:00",
            "next_start": "2026-11-23T10:30:00+01:00",
            "ref": "A17",
            "link": "https://video.region.example/readiness",
        }
    ]
    assert headers["webhook-id"] == "halsorum.7.1795424700"
    over = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + content
    expected = base64.b64encode(hmac.new(SECRET.encode(), over, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert headers["webhook-timestamp"] == str(int(NOW.timestamp()))


def test_a_secret_in_base64_is_what_libraries_of_receivers_take(inbound: Inbound, tmp_path: Path) -> None:
    key = bytes(range(32))
    webhook(tmp_path, f"whsec_{base64.b64encode(key).decode()}").send(inbound.url, COVERED)
    ((headers, content),) = inbound.posts
    over = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + content
    digest = hmac.new(key, over, hashlib.sha256).digest()
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"


@pytest.mark.parametrize("status", [302, 404, 500])
def test_any_answer_but_200_to_299_is_a_failure_and_nobody_is_led_elsewhere(
    inbound: Inbound, tmp_path: Path, status: int
) -> None:
    inbound.statuses, inbound.headers = [status], {"Location": inbound.url}
    with pytest.raises(NotSent, match=f"says {status}"):
        webhook(tmp_path).send(inbound.url, COVERED)
    assert len(inbound.posts) == 1


def test_a_name_that_no_name_service_takes_is_a_receiver_that_cannot_be_reached(tmp_path: Path) -> None:
    with pytest.raises(NotSent, match="cannot be reached"):
        webhook(tmp_path).send(f"https://{'a' * 64}.example/", COVERED)


def test_a_webhook_without_a_good_secret_does_not_leave(inbound: Inbound, tmp_path: Path) -> None:
    for secret, reason in (("short", "fewer than 24"), (f"whsec_{'?' * 30}", "no base64")):
        with pytest.raises(NotSent, match=reason):
            webhook(tmp_path, secret).send(inbound.url, COVERED)
    with pytest.raises(NotSent, match="no webhooks are set"):
        Webhook(None, FRAME, lambda: NOW).send(inbound.url, COVERED)
    with pytest.raises(NotSent, match="cannot be reached"):
        webhook(tmp_path).send("http://127.0.0.1:1/", COVERED)
    assert inbound.posts == []
