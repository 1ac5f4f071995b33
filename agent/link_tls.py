"""TLS to the broker, with a time check of our own: a unit's clock may be a year off in either direction.

OpenSSL judges certificates by the machine's clock, which would lock a unit with a dead clock battery out. It is
told to leave the times alone (X509_V_FLAG_NO_CHECK_TIME), and the broker's certificate is judged here by what is
known of the time: what is certainly past, and now, where that is sure.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509

NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL (X509_VERIFY_PARAM_set_flags(3)); Python's ssl has no name for it."""
UNSENT_AT_MOST_MS = 10_000
"""Data that nobody has acknowledged for so long ends the connection (RFC 5482); the default is 15 minutes."""
LEEWAY = timedelta(minutes=5)
"""A certificate made a moment ago by a clock that is a little ahead of ours is no fault."""


@dataclass(frozen=True, slots=True)
class KnownTime:
    """What is known of the time: `floor` is certainly past; `now` is None where no clock is to be trusted."""

    floor: datetime
    now: datetime | None = None


@dataclass(frozen=True, slots=True)
class Validity:
    """From when until when a certificate is good (RFC 5280, section 4.1.2.5)."""

    not_before: datetime
    not_after: datetime


def own_clock() -> KnownTime:
    """The machine's own clock, trusted: for those whose operators keep it right."""
    now = datetime.now(UTC)
    return KnownTime(now, now)


def what_is_wrong(validity: Validity, time: KnownTime) -> str:
    """Empty if the certificate may be good now, by all that is known; a sentence otherwise."""
    latest = max(time.floor, time.now) if time.now is not None else time.floor
    if validity.not_after < latest:
        return f"the broker's certificate expired on {validity.not_after:%Y-%m-%d}"
    if time.now is not None and validity.not_before > time.now + LEEWAY:
        return f"the broker's certificate is not valid before {validity.not_before:%Y-%m-%d}"
    return ""


def what_went_wrong(error: Exception) -> str:
    """Why a connection was not made, for the log: a fault of the broker's certificate in words, else its kind."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return getattr(error, "verify_message", "") or str(error)
    return type(error).__name__


class TlsContext(ssl.SSLContext):
    """Knows the socket of the connection that was made last, from before its handshake on, and judges times."""

    known_time: Callable[[], KnownTime] = staticmethod(own_clock)
    _socket: socket.socket | None = None
    _validity: Validity | None = None

    @classmethod
    def of(
        cls,
        ca_file: Path,
        certificate_file: Path,
        key_file: Path,
        known_time: Callable[[], KnownTime] = own_clock,
    ) -> TlsContext:
        """For a client with these files (PEM). Raises OSError, of which ssl.SSLError is one."""
        context = cls(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.verify_flags |= ssl.VerifyFlags(NO_CHECK_TIME)
        context.sslsocket_class = _TimedSocket
        context.known_time = known_time
        context.load_verify_locations(cafile=str(ca_file))
        context.load_cert_chain(str(certificate_file), str(key_file))
        return context

    def wrap_socket(self, sock: socket.socket, *args: Any, **named: Any) -> ssl.SSLSocket:  # noqa: ANN401
        """As SSLContext.wrap_socket. The duplicate can be shut down on any thread; OpenSSL's own cannot."""
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNSENT_AT_MOST_MS)
        before, self._socket = self._socket, sock.dup()
        if before is not None:
            before.close()
        self._validity = None
        return super().wrap_socket(sock, *args, **named)

    def judge(self, path_der: Sequence[bytes]) -> None:
        """Look at the times of the broker's certificate and of those between it and the trusted authority, itself
        no part of the path (RFC 5280, section 6.1). Raises ssl.SSLCertVerificationError."""
        path = [x509.load_der_x509_certificate(der) for der in path_der]
        self._validity = Validity(
            max(each.not_valid_before_utc for each in path), min(each.not_valid_after_utc for each in path)
        )
        wrong = self.what_is_wrong()
        if wrong:
            self.cut()  # at once: our duplicate of the socket would hold it open
            raise ssl.SSLCertVerificationError(wrong)

    def what_is_wrong(self) -> str:
        """Of the connection that was made last: the time may have become known since. Empty: nothing."""
        return "" if self._validity is None else what_is_wrong(self._validity, self.known_time())

    def local_address(self) -> str | None:
        """The address of ours that the connection is bound to."""
        with suppress(OSError):
            return str(self._socket.getsockname()[0]) if self._socket is not None else None
        return None

    def cut(self) -> None:
        """End the connection, whether or not the other end can be told."""
        with suppress(OSError):
            if self._socket is not None:
                self._socket.shutdown(socket.SHUT_RDWR)


class _TimedSocket(ssl.SSLSocket):
    """Ends a handshake with a certificate whose time has passed before anything of ours is sent."""

    def do_handshake(self, block: bool = False) -> None:
        super().do_handshake(block)
        der = self.getpeercert(binary_form=True)
        if isinstance(self.context, TlsContext) and der is not None:
            self.context.judge([der, *self._between()])

    def _between(self) -> list[bytes]:
        """Certificates between the broker's and the trusted one. Public in Python 3.13 only."""
        inner: Any = self._sslobj  # type: ignore[attr-defined]
        path = inner.get_verified_chain() or ()
        return [ssl.PEM_cert_to_DER_cert(each.public_bytes()) for each in path[1:-1]]
