"""Which of the given STUN and TURN servers is used: a pure chooser over what probing has shown.

Servers are probed in parallel. UDP is better than TCP, TCP better than TLS, and then the earlier in the list is
better. A better one that has not answered yet is waited for at most PATIENCE_S, and not at all if it was dead
lately. Times are seconds of one monotonic clock, brought by the caller.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

from agent.media.facts import IceServer
from agent.media.ice_url import IceUrl, IceUrlError, parse_ice_url

PATIENCE_S = 0.3
FRESH_S = 2.0
"""An answer this old still counts: a server that carries a call may die in it, and is then asked anew."""
DEAD_FOR_S = 300.0
"""A server that did not answer is not waited for this long; it is asked each time, and used if it answers."""


@dataclass(frozen=True, slots=True)
class Server:
    """One way to one server, with what it asks for."""

    url: IceUrl
    username: str = field(default="", repr=False)
    credential: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Choice:
    """The server to use now; or none yet, and how long to wait for better news (None: until there is any)."""

    server: Server | None
    wait_s: float | None = None
    over: bool = True
    """Nothing more can come: what is chosen, or that nothing is, stays."""


@dataclass(frozen=True, slots=True)
class _Seen:
    answered_at: float | None = None
    address: str = ""
    dead_at: float | None = None


def ways(servers: Iterable[IceServer]) -> tuple[list[Server], list[str]]:
    """Every URL of the servers once, best first; and what is wrong with those that cannot be used."""
    found: dict[IceUrl, Server] = {}
    wrong = []
    for server in servers:
        for text in server.urls:
            try:
                url = parse_ice_url(text)
            except IceUrlError as error:
                wrong.append(str(error))
                continue
            found.setdefault(url, Server(url, server.username or "", server.credential or ""))
    return sorted(found.values(), key=lambda each: each.url.transport), wrong


class ServerBook:
    """What is known of each server, over all calls since the agent's start."""

    def __init__(self) -> None:
        self._seen: dict[IceUrl, _Seen] = {}

    @property
    def urls(self) -> tuple[str, ...]:
        """Of all servers that were asked."""
        return tuple(str(url) for url in self._seen)

    def answered(self, url: IceUrl, address: str, now: float) -> None:
        """It has answered from this address."""
        self._seen[url] = _Seen(answered_at=now, address=address)

    def died(self, url: IceUrl, now: float) -> None:
        """It did not answer, or not as it should."""
        self._seen[url] = replace(self._seen.get(url, _Seen()), answered_at=None, dead_at=now)

    def is_fresh(self, url: IceUrl, now: float) -> bool:
        """Whether it has answered so lately that it need not be asked."""
        at = self._seen.get(url, _Seen()).answered_at
        return at is not None and now - at <= FRESH_S

    def is_dead(self, url: IceUrl, now: float) -> bool:
        """Whether it is not worth waiting for."""
        at = self._seen.get(url, _Seen()).dead_at
        return at is not None and now - at <= DEAD_FOR_S

    def address(self, url: IceUrl) -> str:
        """The address that its name had when it answered."""
        return self._seen.get(url, _Seen()).address

    def choose(
        self, servers: Sequence[Server], asked: Collection[IceUrl], *, since: float, now: float
    ) -> Choice:
        """The best of the servers (best first); asked: those whose answer is still out, since this moment."""
        better_to_come = False
        for server in servers:
            url = server.url
            if url in asked:
                better_to_come = better_to_come or not self.is_dead(url, now)
            elif self.is_fresh(url, now) or self._answered_since(url, since):
                patience_s = since + PATIENCE_S - now
                if better_to_come and patience_s > 0:
                    return Choice(None, patience_s, over=False)
                return Choice(server)
        return Choice(None, None, over=not any(server.url in asked for server in servers))

    def _answered_since(self, url: IceUrl, since: float) -> bool:
        at = self._seen.get(url, _Seen()).answered_at
        return at is not None and at >= since
