"""The bench's pages and its film on localhost, which browsers take for a secure origin."""

from __future__ import annotations

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from tests.bench.film import film_for_page, write_film

HERE = Path(__file__).parent


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Site:
    """Serves a folder that it fills with pages and film. Port 0 takes any that is free."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        self.film = folder / "film.mp4"
        write_film(self.film)
        (folder / "film.json").write_bytes(film_for_page())
        for page in (*HERE.glob("*.html"), *HERE.glob("*.js")):
            (folder / page.name).write_bytes(page.read_bytes())
        self._server = ThreadingHTTPServer(("127.0.0.1", port), partial(_Quiet, directory=str(folder)))
        self._thread = Thread(target=self._server.serve_forever, name="bench-site", daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/peer.html"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
