"""A mail server that speaks SMTP (RFC 5321, STARTTLS, AUTH PLAIN) over a real socket and keeps what comes."""

from __future__ import annotations

import base64
import io
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass
class Mailbox:
    """What came, and how the server behaves. `answers`: in place of its own, by verb: {"RCPT": "550 no"}."""

    port: int = 0
    tls: ssl.SSLContext | None = None
    starts_with_tls: bool = False
    user: str = ""
    password: str = ""
    answers: dict[str, str] = field(default_factory=dict)
    mails: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, str]] = field(default_factory=list)
    was_tls: list[bool] = field(default_factory=list)
    connections: int = 0


@contextmanager
def mail_server(mailbox: Mailbox) -> Iterator[Mailbox]:
    """Runs on a free port of loopback."""

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    with Server(("127.0.0.1", 0), lambda *given: _Talk(mailbox, *given)) as server:
        mailbox.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield mailbox
        finally:
            server.shutdown()
            thread.join()


class _Talk(socketserver.StreamRequestHandler):
    def __init__(self, mailbox: Mailbox, *given: object) -> None:
        self._mailbox = mailbox
        self._sender = self._recipient = ""
        self._is_tls = False
        super().__init__(*given)  # type: ignore[arg-type]

    def handle(self) -> None:
        self._mailbox.connections += 1
        if self._mailbox.starts_with_tls and not self._turn_to_tls():
            return
        self._say("220 mail.example ESMTP")
        while line := self.rfile.readline():
            verb, _, rest = line.decode().strip().partition(" ")
            verb = verb.upper()
            if verb in self._mailbox.answers:
                self._say(self._mailbox.answers[verb])
            elif verb == "QUIT":
                self._say("221 bye")
                return
            else:
                getattr(self, f"_{verb.lower()}", self._unknown)(rest)

    def _say(self, *lines: str) -> None:
        for number, line in enumerate(lines):
            is_last = number == len(lines) - 1
            self.wfile.write((line if is_last else f"{line[:3]}-{line[4:]}").encode() + b"\r\n")

    def _ehlo(self, _: str) -> None:
        offers = ["250 mail.example", "250 8BITMIME"]
        if self._mailbox.tls is not None and not self._is_tls:
            offers.append("250 STARTTLS")
        if self._mailbox.user:
            offers.append("250 AUTH PLAIN")
        self._say(*offers)

    def _starttls(self, _: str) -> None:
        self._say("220 go on")
        self._turn_to_tls()

    def _turn_to_tls(self) -> bool:
        assert self._mailbox.tls is not None
        try:
            self.connection = self._mailbox.tls.wrap_socket(self.connection, server_side=True)
        except OSError:  # the client does not trust us
            self.rfile = io.BytesIO()
            return False
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
        self._is_tls = True
        return True

    def _auth(self, rest: str) -> None:
        _, user, password = base64.b64decode(rest.split()[1]).decode().split("\0")
        fits = (user, password) == (self._mailbox.user, self._mailbox.password)
        self._say("235 come in" if fits else "535 who are you")

    def _mail(self, rest: str) -> None:
        self._sender = rest[rest.index("<") + 1 : rest.index(">")]
        self._say("250 ok")

    def _rcpt(self, rest: str) -> None:
        self._recipient = rest[rest.index("<") + 1 : rest.index(">")]
        self._say("250 ok")

    def _data(self, _: str) -> None:
        self._say("354 go on")
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        mail = message_from_bytes(b"".join(lines), policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self._mailbox.mails.append(mail)
        self._mailbox.envelopes.append((self._sender, self._recipient))
        self._mailbox.was_tls.append(self._is_tls)
        self._say("250 kept")

    def _rset(self, _: str) -> None:
        self._say("250 ok")

    def _unknown(self, _: str) -> None:
        self._say("502 what")
