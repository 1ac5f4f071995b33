"""Where the room's page says that it lives while the agent does not answer: a door of the guard's own.

Without it nobody could tell, for as long as the agent is away, our page that waits from the browser's error page
(web/room/static/heartbeat.js calls here). On 127.0.0.2, which is this machine too, at the number of the agent's
port, so that the page knows it without being told. It takes no words and gives none.
"""

from __future__ import annotations

import logging
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

log = logging.getLogger("kiosk")

HOST = "127.0.0.2"
PATH = "/alive"
CALL_WITHIN_S = 1.0


class Lifeline:
    """Counts calls. Served on a thread of its own; `calls` may be read on any."""

    def __init__(self, port: int, origin: str, host: str = HOST) -> None:
        """origin: of the page that is listened to. Raises OSError where the port is taken."""
        self.calls = 0
        lifeline = self

        class Door(BaseHTTPRequestHandler):
            timeout = CALL_WITHIN_S

            def do_POST(self) -> None:
                is_ours = self.path == PATH and self.headers.get("Origin") == origin
                lifeline.calls += is_ours
                self.send_response(HTTPStatus.NO_CONTENT if is_ours else HTTPStatus.FORBIDDEN)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer((host, port), Door)
        self._server.daemon_threads = True
        self.port: int = self._server.server_port
        threading.Thread(target=self._server.serve_forever, name="lifeline", daemon=True).start()

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()
