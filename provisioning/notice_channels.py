"""Out of the region: a notice by mail (smtplib) or as a webhook (requests). Each try is one connection."""

from __future__ import annotations

import base64
import hashlib
import hmac
import smtplib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from email import policy
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Protocol

import requests

from provisioning.notice_settings import SHORTEST_SECRET, SmtpSettings, WebhookSettings, tls_context
from provisioning.notice_text import Frame, Message, as_json, body, subject


class NotSent(RuntimeError):
    """A try failed; the text says why, without an address or what a server said."""


class Channel(Protocol):
    """One way to a recipient."""

    def send(self, to: str, message: Message) -> None:
        """Hand it over; raises NotSent."""


class Mail:
    """By SMTP."""

    def __init__(self, settings: SmtpSettings | None, frame: Frame, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._frame = frame
        self._clock = clock

    def send(self, to: str, message: Message) -> None:
        """As Channel.send; `to` is an address."""
        settings = self._settings
        if settings is None:
            raise NotSent("no mail server is set: [smtp] in the region's settings")
        mail = as_mail(message, self._frame, self._clock(), sender=settings.sender, to=to)
        try:
            password = _read(settings.password_file) if settings.password_file else ""
            with _talk(settings) as server:
                if settings.user:
                    server.login(settings.user, password)
                server.send_message(mail, from_addr=settings.sender, to_addrs=[to])
        except smtplib.SMTPRecipientsRefused as error:
            codes = ", ".join(str(code) for code, _ in error.recipients.values())
            raise NotSent(f"the mail server refuses the recipient ({codes})") from None
        except smtplib.SMTPResponseException as error:
            raise NotSent(f"the mail server says {error.smtp_code}") from None
        except smtplib.SMTPNotSupportedError:
            raise NotSent("the mail server has no STARTTLS or no sign-in") from None
        except (OSError, smtplib.SMTPException) as error:
            raise NotSent(f"the mail server cannot be used: {type(error).__name__}") from None


class Webhook:
    """By HTTPS; to this machine also by HTTP."""

    def __init__(self, settings: WebhookSettings | None, frame: Frame, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._frame = frame
        self._clock = clock

    def send(self, to: str, message: Message) -> None:
        """As Channel.send; `to` is an address of the web. Anything but an answer of 200 to 299 is a failure."""
        settings = self._settings
        if settings is None:
            raise NotSent("no webhooks are set: [webhook] in the region's settings")
        payload = as_json(message, self._frame)
        try:
            headers = signed(message.id, self._clock(), payload, secret_of(settings.secret_file))
            with requests.post(
                to,
                data=payload,
                headers={"Content-Type": "application/json", **headers},
                timeout=settings.timeout_s,
                allow_redirects=False,  # what is signed goes where IT has said, and nowhere else
                verify=str(settings.ca_file) if settings.ca_file else True,
                stream=True,
            ) as answer:
                if not 200 <= answer.status_code < 300:
                    raise NotSent(f"the receiver says {answer.status_code}")
        except (OSError, ValueError, requests.RequestException) as error:
            # ValueError: what no name service takes, such as a label of more than 63 letters.
            raise NotSent(f"the receiver cannot be reached: {type(error).__name__}") from None


def as_mail(message: Message, frame: Frame, now: datetime, *, sender: str, to: str) -> EmailMessage:
    """RFC 5322, marked as sent by a machine (RFC 3834). Pure."""
    mail = EmailMessage(policy=policy.SMTP)
    mail["From"] = Address("Hälsorum", addr_spec=sender)
    mail["To"] = Address(message.name, addr_spec=to)
    # Not the policy's own folding: it loses the space between two encoded words (RFC 2047 section 6.2).
    said = " ".join(subject(message, frame, now).split())
    mail.set_raw("Subject", Header(said, "utf-8", header_name="Subject").encode())
    mail["Date"] = format_datetime(now)
    domain = sender.rpartition("@")[2]
    mail["Message-ID"] = f"<{message.id}@{domain}>"
    if message.of:
        mail["In-Reply-To"] = mail["References"] = f"<{message.of}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(body(message, frame, now))
    mail["Content-Language"] = message.language
    return mail


def signed(message_id: str, now: datetime, payload: bytes, secret: bytes) -> dict[str, str]:
    """Headers of Standard Webhooks 1.0: HMAC-SHA256 over `id.timestamp.payload`. Pure."""
    at = str(int(now.timestamp()))
    digest = hmac.new(secret, b".".join((message_id.encode(), at.encode(), payload)), hashlib.sha256)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": at,
        "webhook-signature": f"v1,{base64.b64encode(digest.digest()).decode()}",
    }


def secret_of(file: Path) -> bytes:
    """What is shared with receivers; `whsec_` and base64, or the text itself. Raises NotSent."""
    text = _read(file)
    if len(text) < SHORTEST_SECRET:
        raise NotSent(f"webhook.secret_file holds fewer than {SHORTEST_SECRET} characters")
    if not text.startswith("whsec_"):
        return text.encode()
    try:
        return base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except ValueError:
        raise NotSent("webhook.secret_file holds no base64 after whsec_") from None


@contextmanager
def _talk(settings: SmtpSettings) -> Iterator[smtplib.SMTP]:
    """A connection that is ended in order. How the server takes the end changes nothing of what it took before."""
    server = _connected(settings)
    try:
        yield server
        with suppress(OSError, smtplib.SMTPException):
            server.quit()
    finally:
        server.close()


def _connected(settings: SmtpSettings) -> smtplib.SMTP:
    if settings.security == "tls":
        return smtplib.SMTP_SSL(
            settings.host,
            settings.used_port,
            timeout=settings.timeout_s,
            context=tls_context(settings.ca_file),
        )
    server = smtplib.SMTP(settings.host, settings.used_port, timeout=settings.timeout_s)
    if settings.security == "starttls":
        try:
            server.starttls(context=tls_context(settings.ca_file))
        except BaseException:
            server.close()
            raise
    return server


def _read(file: Path) -> str:
    try:
        return file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise NotSent(f"{file} cannot be read: {getattr(error, 'strerror', None) or 'no text'}") from None
