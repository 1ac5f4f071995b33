"""The way from this machine to its servers: addresses, routes, names, broker, TURN. Each call may wait."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509

from agent.diagnostics.machine_parts import run
from agent.media.server_finder import reason_of, trusted
from agent.network_check import check

CONNECT_TIMEOUT_S = 5.0
TURN_TIMEOUT_S = 8.0


@dataclass(frozen=True, slots=True)
class Way:
    """To whom, and what is on the way. ice_urls: STUN and TURN servers as the region named them."""

    host: str
    port: int
    ca_file: Path
    extra_ca: str = ""
    """Further authorities that the region has set, in PEM."""
    proxy: str | None = None
    ice_urls: tuple[str, ...] = ()


def network_path(way: Way) -> Mapping[str, Any]:
    """All of it, one after the other."""
    return {
        "addresses": run(["ip", "-brief", "address"], 3.0).splitlines(),
        "routes": [*run(["ip", "route"], 3.0).splitlines(), *run(["ip", "-6", "route"], 3.0).splitlines()],
        "resolver": _resolver(),
        "names": [look_up(host) for host in sorted({way.host, *_hosts(way.ice_urls)})],
        "proxy": _host_of(way.proxy) if way.proxy else None,
        "broker": broker(way),
        "ice_servers": ice_servers(way.ice_urls, way.ca_file),
    }


def look_up(host: str) -> Mapping[str, Any]:
    """A name's addresses, and how long that took."""
    began_s = time.perf_counter()
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        return {"host": host, "fault": getattr(error, "strerror", None) or type(error).__name__}
    return {
        "host": host,
        "ms": _ms_since(began_s),
        "addresses": sorted({str(each[4][0]) for each in found}),
    }


def broker(way: Way) -> Mapping[str, Any]:
    """How long TCP and TLS take, whether its certificate is trusted, and its dates either way."""
    said: dict[str, Any] = {"host": way.host, "port": way.port}
    context = ssl.create_default_context(cafile=str(way.ca_file))
    if way.extra_ca:
        context.load_verify_locations(cadata=way.extra_ca)
    try:
        said |= _handshake(way, context)
    except ssl.SSLError as error:
        said["fault"] = reason_of(error)
        # Nothing is said over this one: it is to see what the server shows.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            said |= _handshake(way, context)
        except OSError as again:
            said["unverified_fault"] = reason_of(again)
    except OSError as error:
        said["fault"] = reason_of(error)
    return said


def ice_servers(urls: Sequence[str], ca_file: Path) -> list[str]:
    """A sentence for each STUN and TURN server."""

    async def ask_all() -> list[str]:
        tls = await asyncio.to_thread(partial(trusted, ca_file))
        answers = await asyncio.gather(
            *(asyncio.wait_for(check(url, tls), TURN_TIMEOUT_S) for url in urls), return_exceptions=True
        )
        return [
            f"{url}: no answer" if isinstance(answer, BaseException) else answer[1]
            for url, answer in zip(urls, answers, strict=True)
        ]

    return asyncio.run(ask_all()) if urls else []


def _handshake(way: Way, context: ssl.SSLContext) -> dict[str, Any]:
    began_s = time.perf_counter()
    with _connect(way) as plain:
        tcp_ms = _ms_since(began_s)
        with context.wrap_socket(plain, server_hostname=way.host) as secure:
            shown = secure.getpeercert(binary_form=True)
            figures = {"tcp_ms": tcp_ms, "tls_ms": _ms_since(began_s), "tls": secure.version()}
    return figures | (_dates(shown) if shown else {})


def _connect(way: Way) -> socket.socket:
    if way.proxy is None:
        return socket.create_connection((way.host, way.port), CONNECT_TIMEOUT_S)
    at = urlsplit(way.proxy)
    through = socket.create_connection((at.hostname or "", at.port or 3128), CONNECT_TIMEOUT_S)
    through.sendall(f"CONNECT {way.host}:{way.port} HTTP/1.1\r\nHost: {way.host}:{way.port}\r\n\r\n".encode())
    said = b""
    while b"\r\n\r\n" not in said and len(said) < 8192:
        more = through.recv(1)  # no byte of the TLS that follows may be taken
        if not more:
            break
        said += more
    if b" 200" not in said[:16]:
        through.close()
        raise ConnectionRefusedError(0, "the proxy refused the connection")
    return through


def _dates(certificate_der: bytes) -> dict[str, Any]:
    certificate = x509.load_der_x509_certificate(certificate_der)
    left = certificate.not_valid_after_utc - datetime.now(UTC)
    return {
        "not_before": certificate.not_valid_before_utc.isoformat(),
        "not_after": certificate.not_valid_after_utc.isoformat(),
        "days_left": left.days,
    }


def _hosts(urls: Sequence[str]) -> set[str]:
    return {url.split(":", 1)[1].split("?", 1)[0].rsplit(":", 1)[0].strip("[]") for url in urls if ":" in url}


def _resolver() -> list[str]:
    try:
        lines = Path("/etc/resolv.conf").read_text().splitlines()
    except OSError:
        return []
    return [line for line in lines if line.startswith(("nameserver", "options", "search"))]


def _host_of(proxy: str) -> str:
    parts = urlsplit(proxy)
    return f"{parts.hostname}:{parts.port}"


def _ms_since(began_s: float) -> float:
    return round((time.perf_counter() - began_s) * 1000, 1)
