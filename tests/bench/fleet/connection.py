"""One played unit's connection: TLS on a socket that never blocks, MQTT over it, and when it is tried again."""

from __future__ import annotations

import random
import selectors
import socket
import ssl
import time
from contextlib import suppress
from pathlib import Path

from agent.contract import MAX_BODY_BYTES, down_filter
from agent.link import BACKOFF_MAX_S, CONNECT_TIMEOUT_S, KEEPALIVE_S, SESSION_EXPIRY_S, backoff_s
from tests.bench.fleet import packets
from tests.bench.fleet.played_unit import PlayedUnit

READ_BYTES = 65_536
_WANTS = (ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Connection:
    """Comes back by the link's own back-off (agent.link.backoff_s). Driven by one thread's selector."""

    def __init__(
        self,
        unit: PlayedUnit,
        address: tuple[str, int],
        files: tuple[Path, Path, Path],
        selector: selectors.BaseSelector,
    ) -> None:
        self.unit = unit
        self.up = False
        self.silent = False
        self.attempts = 0
        self.faults: dict[str, int] = {}
        self._address = address
        self._selector = selector
        authority, certificate, key = files
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._tls.load_verify_locations(cafile=authority)
        self._tls.load_cert_chain(certificate, key)
        self._socket: socket.socket | None = None
        self._stage = ""
        self._since = 0.0
        self._next_try: float | None = None
        self._out, self._in = bytearray(), bytearray()
        self._attempt = 0
        self._packet_id = 0
        self._said_at = self._heard_at = 0.0
        self._events = 0

    def start(self) -> None:
        """Connect now."""
        self._next_try = time.monotonic()

    def stop(self) -> None:
        """Disconnect in order, and stay away."""
        self._next_try = None
        if self._socket is not None and self._stage == "open":
            self._out += packets.BYE
            with suppress(OSError, *_WANTS):
                self._flush()
        self._close()

    def drop(self) -> None:
        """Be gone without a word, as at a power cut."""
        self._close()
        self._next_try = None

    def tick(self, now: float) -> None:
        """Try again, keep alive, give up what takes too long."""
        if self._socket is None:
            if self._next_try is not None and now >= self._next_try:
                self._begin(now)
        elif self.silent:
            pass
        elif self._stage in {"tcp", "tls"} and now - self._since > CONNECT_TIMEOUT_S:
            self._lost(f"no answer ({self._stage})")
        else:
            if now - max(self._heard_at, self._since) > 2 * KEEPALIVE_S:
                self._lost("no sign of life")
            elif self.up and now - self._said_at >= KEEPALIVE_S - 1:
                self._write(packets.PING)

    def ready(self, mask: int) -> None:
        """The socket can be read or written."""
        if self.silent:
            return
        try:
            if self._stage == "tcp":
                self._finish_tcp()
            if self._stage == "tls":
                self._finish_tls()
            if self._stage in {"mqtt", "open"}:
                if mask & selectors.EVENT_READ:
                    self._read()
                if self._out:
                    self._flush()
        except _WANTS:
            pass
        except (OSError, EOFError) as error:
            self._lost(type(error).__name__)
        if self._socket is not None:
            self._watch()

    def _begin(self, now: float) -> None:
        plain = socket.socket()
        plain.setblocking(False)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._next_try = None
        self.attempts += 1
        self._since, self._stage = now, "tcp"
        self._out.clear()
        self._in.clear()
        with suppress(BlockingIOError):
            plain.connect(self._address)
        self._socket, self._events = plain, selectors.EVENT_WRITE
        self._selector.register(plain, self._events, self)

    def _finish_tcp(self) -> None:
        plain = self._socket
        assert plain is not None
        code = plain.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise ConnectionRefusedError(code, "")
        self._selector.unregister(plain)
        self._socket = self._tls.wrap_socket(
            plain, server_hostname="localhost", do_handshake_on_connect=False
        )
        self._events = selectors.EVENT_READ
        self._selector.register(self._socket, self._events, self)
        self._stage, self._since = "tls", time.monotonic()

    def _finish_tls(self) -> None:
        assert isinstance(self._socket, ssl.SSLSocket)
        self._socket.do_handshake()
        self._stage, self._since = "mqtt", time.monotonic()
        self._write(
            packets.connect(
                self.unit.name, KEEPALIVE_S, SESSION_EXPIRY_S, MAX_BODY_BYTES + 1024, self.unit.will
            )
        )

    def _read(self) -> None:
        assert self._socket is not None
        while True:
            try:
                data = self._socket.recv(READ_BYTES)
            except _WANTS:
                break
            if not data:
                raise EOFError
            self._heard_at = time.monotonic()
            self._in += data
        for packet in packets.take(self._in):
            self._packet(packet)

    def _packet(self, packet: packets.Packet) -> None:
        if packet.kind == packets.PUBLISH:
            topic, payload, packet_id = packets.published(packet)
            if packet_id is not None:
                self._out += packets.puback(packet_id)
            self.unit.heard(self._send, topic, payload)
        elif packet.kind == packets.CONNACK:
            if packets.refusal(packet):
                raise ConnectionRefusedError
            self.up, self._stage, self._attempt = True, "open", 0
            self._out += packets.subscribe(self._number(), down_filter(self.unit.name))
            self.unit.connected(self._send)
        elif packet.kind == packets.DISCONNECT:
            raise EOFError

    def _send(self, topic: str, payload: bytes, retain: bool, expiry_s: int | None) -> None:
        self._out += packets.publish(topic, payload, self._number(), retain=retain, expiry_s=expiry_s)

    def _number(self) -> int:
        self._packet_id = self._packet_id % 65_535 + 1
        return self._packet_id

    def _write(self, data: bytes) -> None:
        self._out += data
        with suppress(*_WANTS):
            self._flush()
        self._watch()

    def _flush(self) -> None:
        assert self._socket is not None
        while self._out:
            sent = self._socket.send(bytes(self._out[:READ_BYTES]))
            del self._out[:sent]
        self._said_at = time.monotonic()

    def _watch(self) -> None:
        wanted = selectors.EVENT_READ
        if self._out or self._stage == "tcp":
            wanted |= selectors.EVENT_WRITE
        if wanted != self._events and self._socket is not None:
            self._events = wanted
            self._selector.modify(self._socket, wanted, self)

    def _lost(self, why: str) -> None:
        self.faults[why] = self.faults.get(why, 0) + 1
        self._close()
        self._next_try = time.monotonic() + backoff_s(self._attempt, BACKOFF_MAX_S, random.random())
        self._attempt += 1

    def _close(self) -> None:
        self.up = self.silent = False
        self._stage = ""
        if self._socket is not None:
            self._selector.unregister(self._socket)
            self._socket.close()
            self._socket = None
