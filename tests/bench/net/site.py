"""The bench's pages and film on localhost, and where they leave the pictures that are to be judged."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import numpy as np
from numpy.typing import NDArray

from tests.bench.net.footage import Film

HERE = Path(__file__).parent
PAGES = (*HERE.glob("*.html"), *HERE.glob("*.js"), HERE.parent / "clock_pattern.js")


@dataclass(frozen=True, slots=True)
class Sample:
    """The luma of a picture as it was presented, and the number that stands in it."""

    number: int
    luma: NDArray[np.uint8]


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, *arguments: object, samples: list[Sample], directory: str) -> None:
        self._samples = samples
        super().__init__(*arguments, directory=directory)  # type: ignore[arg-type]

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        """A picture's luma (net_receiver.js)."""
        fields = {name: int(value[0]) for name, value in parse_qs(urlsplit(self.path).query).items()}
        body = np.frombuffer(self.rfile.read(int(self.headers["Content-Length"])), np.uint8)
        luma = body.reshape(fields["height"], fields["stride"])[:, : fields["width"]]
        self._samples.append(Sample(fields["number"], luma))
        self.send_response(204)
        self.end_headers()


class Site:
    """Serves a folder that it fills with pages and film, and collects samples."""

    def __init__(self, folder: Path) -> None:
        self.film = Film(folder)
        self._samples: list[Sample] = []
        (folder / "film.json").write_bytes(self.film.for_page)
        for page in PAGES:
            (folder / page.name).write_bytes(page.read_bytes())
        handler = partial(_Handler, samples=self._samples, directory=str(folder))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        Thread(target=self._server.serve_forever, name="bench-net-site", daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/net.html"

    def take_samples(self) -> list[Sample]:
        """The samples since the last call."""
        taken, self._samples[:] = list(self._samples), []
        return taken

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
