"""An HTTPS server that gives out bundles, by ranges too, and breaks as it is told."""

from __future__ import annotations

import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class BundleServer:
    """files: by path. breaks: after so many bytes, for so many requests, the connection is cut."""

    def __init__(self, certificate, key, host="127.0.0.1"):
        self.files: dict[str, bytes | Path] = {}
        self.asked: list[str] = []
        self.ranges = True
        self.breaks: list[int] = []
        self.statuses: list[int] = []
        self.pace_s = 0.0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.answer(self)

            def log_message(self, *_words):
                pass

        self._server = ThreadingHTTPServer((host, 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        # Whoever fetches may be gone in the middle, as a unit whose plug is pulled.
        self._server.handle_error = lambda *_request: None
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def url(self, path, host="localhost"):
        return f"https://{host}:{self.port}{path}"

    def answer(self, request):
        self.asked.append(request.headers.get("Range", ""))
        if self.statuses:
            request.send_error(self.statuses.pop(0))
            return
        found = self.files.get(request.path)
        if found is None:
            request.send_error(404)
            return
        body = found.read_bytes() if isinstance(found, Path) else found
        begin = 0
        if self.ranges and request.headers.get("Range"):
            begin = int(request.headers["Range"].removeprefix("bytes=").split("-")[0])
            if begin >= len(body):
                request.send_error(416)
                return
            request.send_response(206)
            request.send_header("Content-Range", f"bytes {begin}-{len(body) - 1}/{len(body)}")
        else:
            request.send_response(200)
        request.send_header("Content-Length", str(len(body) - begin))
        request.end_headers()
        part = body[begin:]
        if self.breaks:
            request.wfile.write(part[: self.breaks.pop(0)])
            request.close_connection = True
            return
        step = 1024 * 1024
        for place in range(0, len(part), step):
            if self.pace_s:
                threading.Event().wait(self.pace_s)
            request.wfile.write(part[place : place + step])

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
