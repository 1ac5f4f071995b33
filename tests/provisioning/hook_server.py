"""A receiver of webhooks: an HTTP server on a free port of loopback that keeps what is posted."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Inbound:
    """What came, and with which status the next ones are answered (the last one stays)."""

    url: str = ""
    statuses: list[int] = field(default_factory=lambda: [204])
    headers: dict[str, str] = field(default_factory=dict)
    posts: list[tuple[Mapping[str, str], bytes]] = field(default_factory=list)

    @property
    def told(self) -> list[Any]:
        return [json.loads(content) for _, content in self.posts]


@contextmanager
def hook_server() -> Iterator[Inbound]:
    inbound = Inbound()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            inbound.posts.append((dict(self.headers.items()), content))
            status = inbound.statuses.pop(0) if len(inbound.statuses) > 1 else inbound.statuses[0]
            self.send_response(status)
            for name, value in inbound.headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing: what is said here would only be noise."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        inbound.url = f"http://127.0.0.1:{server.server_address[1]}/halsorum"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield inbound
        finally:
            server.shutdown()
            thread.join()
