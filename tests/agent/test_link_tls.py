"""The broker's certificate is judged by the time that is known, with a real TLS server on loopback."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

import pytest

from agent.link_tls import KnownTime, TlsContext, what_went_wrong
from tests.agent.certificates import DAY, TODAY, TestAuthority, key_of

YEAR = 365 * DAY
LONG_AGO = TODAY - 3 * YEAR
UNSURE = KnownTime(LONG_AGO)


@contextmanager
def serving(certificate: Path, key: Path) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(str(certificate), str(key))
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    taken = server.accept()[0]
                    with suppress(OSError), context.wrap_socket(taken, server_side=True) as one:
                        one.recv(1)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


@pytest.fixture
def shake(tmp_path) -> Callable[..., TlsContext]:
    """Connect to a broker whose certificate holds from `since` to `until`, knowing the time."""

    def connect(
        time: KnownTime | Callable[[], KnownTime],
        since: datetime = TODAY - YEAR,
        until: datetime = TODAY + YEAR,
        authority: str = "test authority",
        between: bytes = b"",
    ) -> TlsContext:
        known = time if callable(time) else lambda: time
        ca, *own = TestAuthority().files(tmp_path / "unit", "unit-1")
        _, *brokers = TestAuthority(authority).files(tmp_path / "broker", "broker", since=since, until=until)
        brokers[0].write_bytes(brokers[0].read_bytes() + between)
        context = TlsContext.of(ca, *own, known)
        with serving(*brokers) as port, socket.create_connection(("127.0.0.1", port)) as plain:
            sock = context.wrap_socket(plain, server_hostname="localhost", do_handshake_on_connect=False)
            try:
                sock.do_handshake()
            finally:
                context.cut()
                sock.close()
        return context

    return connect


@pytest.mark.parametrize("time", [UNSURE, KnownTime(LONG_AGO, TODAY), KnownTime(TODAY, None)])
def test_a_certificate_that_may_be_good_is_taken(shake, time):
    assert shake(time).what_is_wrong() == ""


def test_a_clock_that_is_not_sure_locks_nobody_out_whatever_the_machine_thinks(shake):
    # To the machine's own clock this certificate is long expired, and the other not yet valid.
    shake(UNSURE, since=TODAY - 3 * YEAR, until=TODAY - YEAR)
    shake(UNSURE, since=TODAY + YEAR, until=TODAY + 2 * YEAR)


@pytest.mark.parametrize("time", [KnownTime(LONG_AGO, TODAY), KnownTime(TODAY), KnownTime(TODAY, LONG_AGO)])
def test_an_expired_certificate_is_refused_by_now_or_by_what_is_certainly_past(shake, time):
    with pytest.raises(ssl.SSLCertVerificationError, match="expired on") as refused:
        shake(time, until=TODAY - DAY)
    assert "expired on" in what_went_wrong(refused.value)


@pytest.mark.parametrize("left", [DAY, -DAY])
def test_an_authority_between_that_has_expired_vouches_for_nobody(shake, left):
    key = key_of("between").public_key()
    between = TestAuthority().certificate("between", key, until=TODAY + left, is_authority=True)
    known = KnownTime(LONG_AGO, TODAY)
    if left > 0 * DAY:
        assert shake(known, authority="between", between=between).what_is_wrong() == ""
        return
    with pytest.raises(ssl.SSLCertVerificationError, match="expired on"):
        shake(known, authority="between", between=between)


def test_one_that_is_not_valid_yet_is_refused_where_the_time_is_sure(shake):
    with pytest.raises(ssl.SSLCertVerificationError, match="not valid before"):
        shake(KnownTime(LONG_AGO, TODAY), since=TODAY + DAY)


def test_a_connection_made_in_ignorance_is_wrong_once_the_time_is_known(shake):
    times = [UNSURE]
    context = shake(lambda: times[-1], until=TODAY - DAY)
    assert context.what_is_wrong() == ""
    times.append(KnownTime(LONG_AGO, TODAY))
    assert "expired" in context.what_is_wrong()


def test_another_authority_and_another_host_are_refused_as_ever(shake):
    with pytest.raises(ssl.SSLCertVerificationError) as refused:
        shake(UNSURE, authority="someone else")
    assert "certificate" in what_went_wrong(refused.value) or "issuer" in what_went_wrong(refused.value)
    assert what_went_wrong(ConnectionRefusedError()) == "ConnectionRefusedError"
