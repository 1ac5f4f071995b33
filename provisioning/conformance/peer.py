"""One end of the wire in hand: says what it is told to, and remembers all that it hears."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from pydantic import BaseModel

from agent.contract import ContractError, Message, Topic, decode, encode
from agent.link import Link, LinkSettings
from provisioning.conformance.checks import Broken

CONNECT_WITHIN_S = 20.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the other side is given: to answer, to answer what it may put off, and to be silent."""

    answer_s: float = 10.0
    long_s: float = 40.0
    silence_s: float = 3.0


@dataclass(frozen=True, slots=True)
class Credentials:
    """Files of an identity; its name is the certificate's."""

    ca_file: Path
    certificate_file: Path
    key_file: Path

    @property
    def name(self) -> str:
        """The common name, which is user name and client id at the broker."""
        certificate = x509.load_pem_x509_certificate(self.certificate_file.read_bytes())
        names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        if len(names) != 1:
            raise ValueError(f"{self.certificate_file}: the certificate must have one common name")
        return str(names[0].value)

    def check(self) -> None:
        """Raise ValueError or OSError, with the file's name, if they cannot be used."""
        for file in (self.ca_file, self.certificate_file, self.key_file):
            file.read_bytes()
        if not self.name:
            raise ValueError(f"{self.certificate_file}: the certificate's name is empty")


class Peer:
    """Used by the checks' thread; came() and gone() are called on whichever thread hears."""

    def __init__(self, publish: Callable[[Topic, bytes], bool], patience: Patience) -> None:
        self._publish = publish
        self.patience = patience
        self.broken: list[str] = []
        """What came and breaks the contract: topic's channel, field and reason."""
        self._heard: list[Message] = []
        self._cleared: list[str] = []
        self._news = threading.Condition()

    def came(self, topic: str, payload: bytes) -> None:
        """A message came."""
        with self._news:
            if not payload:
                self._cleared.append(topic)
            else:
                try:
                    self._heard.append(decode(topic, payload))
                except ContractError as error:
                    self.broken.append(f"{error.field} {error.reason}")
            self._news.notify_all()

    def mark(self) -> int:
        """Where hearing stands now, for after()."""
        with self._news:
            return len(self._heard)

    def all_of(self, channel: str) -> list[Message]:
        """All that came on a channel."""
        with self._news:
            return [message for message in self._heard if message.topic.channel == channel]

    def say(
        self, topic: Topic, body: BaseModel, *, rev: int | None = None, expires_at: datetime | None = None
    ) -> bytes:
        """Send a message that keeps the contract; its bytes."""
        payload = encode(body, now=now(), rev=rev, expires_at=expires_at)
        self.put(topic, payload)
        return payload

    def put(self, topic: Topic, payload: bytes) -> None:
        """Send bytes as they are; empty: clear what is retained."""
        if not self._publish(topic, payload):
            raise Broken("the broker's connection was gone when a message was to be sent")

    def after(
        self,
        mark: int,
        channel: str,
        wanted: Callable[[Message], bool] = lambda _: True,
        within_s: float | None = None,
    ) -> Message | None:
        """The first message on a channel since the mark that is wanted; None if none comes in time."""
        until = time.monotonic() + (self.patience.answer_s if within_s is None else within_s)
        with self._news:
            while True:
                for message in self._heard[mark:]:
                    if message.topic.channel == channel and wanted(message):
                        return message
                left = until - time.monotonic()
                if left <= 0:
                    return None
                self._news.wait(left)

    def was_cleared(self, topic: Topic, within_s: float | None = None) -> bool:
        """Whether what is retained on a topic is cleared in time."""
        until = time.monotonic() + (self.patience.answer_s if within_s is None else within_s)
        with self._news:
            while str(topic) not in self._cleared:
                left = until - time.monotonic()
                if left <= 0:
                    return False
                self._news.wait(left)
        return True


class Connected:
    """A Peer at a real broker. Use as a context manager; raises Broken if the broker does not let it in."""

    def __init__(
        self,
        host: str,
        port: int,
        credentials: Credentials,
        filters: tuple[str, ...],
        patience: Patience,
    ) -> None:
        self._up = threading.Event()
        self.peer = Peer(self._put, patience)
        self._link = Link(
            LinkSettings(
                host=host,
                port=port,
                client_id=credentials.name,
                ca_file=credentials.ca_file,
                certificate_file=credentials.certificate_file,
                key_file=credentials.key_file,
                filters=filters,
            ),
            on_message=self.peer.came,
            on_connection=self._connection,
        )

    def __enter__(self) -> Peer:
        self._link.start()
        if not self._up.wait(CONNECT_WITHIN_S):
            self._link.stop()
            raise Broken(
                "the broker does not let this identity in; look at address, authority and certificate"
            )
        return self.peer

    def __exit__(self, *_: object) -> None:
        self._link.stop()

    def _put(self, topic: Topic, payload: bytes) -> bool:
        """Some brokers hang up at a message that their rules deny: what follows waits for the next connection."""
        return self._up.wait(CONNECT_WITHIN_S) and self._link.publish(topic, payload)

    def _connection(self, up: bool) -> None:
        if up:
            self._up.set()
        else:
            self._up.clear()


def now() -> datetime:
    """The time of this machine."""
    return datetime.now(UTC)
