"""Waitress around the app, on a thread of its own, with a clean end."""

from __future__ import annotations

import errno
import threading
from contextlib import suppress

from flask import Flask
from waitress.server import create_server

STOP_TIMEOUT_S = 5.0


class PortTaken(OSError):
    """Another program listens on the port; says which port and what to do."""


class Server:
    """A running web server; `stop()` ends open feeds, waits for its threads and frees the port."""

    def __init__(self, app: Flask, host: str, port: int, threads: int) -> None:
        self._streams = app.extensions["room.streams"]
        self._sockets: dict[int, object] = {}
        try:
            # Lookahead makes waitress notice a browser that hangs up in the middle of a feed.
            self._waitress = create_server(
                app,
                map=self._sockets,
                host=host,
                port=port,
                threads=threads,
                ident=None,
                channel_request_lookahead=1,
            )
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise PortTaken(
                errno.EADDRINUSE,
                f"the touchscreen's port {port} on {host} is taken: stop the program that holds it "
                "or give the touchscreen another port",
            ) from error
        self.port = int(self._waitress.effective_port)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="web", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End in order; harmless twice."""
        self._streams.stopping.set()
        self._waitress.task_dispatcher.shutdown(timeout=STOP_TIMEOUT_S)
        if self._thread.is_alive():
            # Told on the loop's own thread, which closes the trigger when it ends: should it be awake for another
            # reason just then, it may have ended before the trigger is pulled.
            with suppress(OSError):
                self._waitress.trigger.pull_trigger(self._stopping.set)
            self._thread.join(timeout=STOP_TIMEOUT_S)

    def _run(self) -> None:
        """Waitress's loop, one turn at a time, so that the thread that uses its sockets closes them."""
        loop, sockets = self._waitress.asyncore, self._sockets
        while not self._stopping.is_set():
            loop.loop(timeout=1.0, map=sockets, use_poll=True, count=1)
        loop.close_all(sockets)


def serve(app: Flask, host: str = "127.0.0.1", port: int = 8080, threads: int = 8) -> Server:
    """Serve the app from create_app until `stop()`. `threads` must exceed `max_streams`.

    Raises PortTaken when another program listens there.
    """
    return Server(app, host, port, threads)
