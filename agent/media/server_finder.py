"""Finds the STUN and TURN servers that work from here: asks all at once, remembers, and chooses."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from agent.media.facts import IceServer
from agent.media.ice_probe import TlsContext, probe
from agent.media.ice_servers import Server, ServerBook, ways
from agent.media.ice_url import IceUrl

logger = logging.getLogger(__name__)

Probe = Callable[[IceUrl, TlsContext], Awaitable[str]]


def trusted(ca_file: Path) -> ssl.SSLContext:
    """Trusts what the system trusts and, for this alone, the region's own authority."""
    context = ssl.create_default_context()
    context.load_verify_locations(cafile=ca_file)
    return context


class ServerFinder:
    """One for the agent's whole life. Used on the event loop; TLS servers must be vouched for by `tls`."""

    def __init__(
        self, tls: Callable[[], ssl.SSLContext] = ssl.create_default_context, probe: Probe = probe
    ) -> None:
        self._make_tls = tls
        self._tls: ssl.SSLContext | None = None
        self.book = ServerBook()
        self._probe = probe
        self._asking: dict[IceUrl, asyncio.Task[None]] = {}
        self._complained: set[str] = set()

    async def tls(self) -> ssl.SSLContext:
        """Who vouches for TLS servers; made when first needed and beside the loop, since it reads many files."""
        if self._tls is None:
            self._tls = await asyncio.to_thread(self._make_tls)
        return self._tls

    def look_at(self, servers: Sequence[IceServer]) -> list[Server]:
        """Ask every server that has not answered just now; returns at once with the ways there are, best first."""
        found, wrong = ways(servers)
        for reason in set(wrong) - self._complained:
            self._complained.add(reason)
            logger.warning("A STUN or TURN server's URL is left out: %s", reason)
        loop = asyncio.get_running_loop()
        for server in found:
            if server.url not in self._asking and not self.book.is_fresh(server.url, loop.time()):
                self._asking[server.url] = loop.create_task(self._ask(server.url))
        return found

    async def best(self, servers: Sequence[Server]) -> Server | None:
        """The best of these that answers; None when none does. See ice_servers for how long that takes."""
        loop = asyncio.get_running_loop()
        since = loop.time()
        while True:
            choice = self.book.choose(servers, self._asking.keys(), since=since, now=loop.time())
            if choice.over:
                return choice.server
            waiting = [self._asking[server.url] for server in servers if server.url in self._asking]
            await asyncio.wait(waiting, timeout=choice.wait_s, return_when=asyncio.FIRST_COMPLETED)

    def failed(self, server: Server, error: Exception) -> None:
        """It answered, but gave us nothing that we can use."""
        self._is_dead(server.url, error)

    async def close(self) -> None:
        """Ask no more."""
        tasks = list(self._asking.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask(self, url: IceUrl) -> None:
        loop = asyncio.get_running_loop()
        try:
            address = await self._probe(url, self.tls)
        except (OSError, UnicodeError) as error:
            self._is_dead(url, error)
        else:
            self.book.answered(url, address, loop.time())
        finally:
            del self._asking[url]

    def _is_dead(self, url: IceUrl, error: Exception) -> None:
        now = asyncio.get_running_loop().time()
        if not self.book.is_dead(url, now):
            logger.warning("%s cannot be used now: %s", url, reason_of(error))
        self.book.died(url, now)


def reason_of(error: Exception) -> str:
    """Why, in words for who runs the network; nothing that a server wrote is in it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    if isinstance(error, TimeoutError):
        return "no answer"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
