"""Where a bundle may be sent, what is tried again, and what the server gets."""

import base64
import hashlib
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from agent.diagnostics.upload import UploadError, put, refuse_address

DATA = b"bundle" * 1000
DIGEST = hashlib.sha256(DATA).digest()


@pytest.fixture
def server():
    answers, got = [], []

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((self.path, self.headers["Content-Digest"], body))
            status = answers.pop(0)
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    made = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=lambda: made.serve_forever(poll_interval=0.01), daemon=True)
    thread.start()
    made.url = f"http://127.0.0.1:{made.server_address[1]}/diagnostics/secret"
    made.answers, made.got = answers, got
    yield made
    made.shutdown()
    made.server_close()


def test_the_server_gets_the_bundle_and_its_digest(server):
    server.answers.append(204)
    put(server.url, DATA, DIGEST)
    assert server.got == [("/diagnostics/secret", f"sha-256=:{base64.b64encode(DIGEST).decode()}:", DATA)]


def test_a_busy_server_is_asked_again(server):
    server.answers.extend((503, 500, 204))
    pauses = []
    put(server.url, DATA, DIGEST, sleep=pauses.append)
    assert len(server.got) == 3
    assert pauses == sorted(pauses)


@pytest.mark.parametrize("status", [302, 403, 404, 409, 410, 413])
def test_a_refusal_or_a_redirect_is_final_and_names_no_address(server, status):
    server.answers.append(status)
    with pytest.raises(UploadError, match=str(status)) as raised:
        put(server.url, DATA, DIGEST, sleep=lambda _: pytest.fail("tried again"))
    assert "secret" not in str(raised.value)
    assert len(server.got) == 1


def test_nobody_there_is_tried_again_and_said(server):
    server.shutdown()
    server.server_close()
    pauses = []
    with pytest.raises(UploadError, match="not reached"):
        put(server.url, DATA, DIGEST, sleep=pauses.append)
    assert len(pauses) == 2


@pytest.mark.parametrize(
    "url",
    [
        "http://region.example/diagnostics/x",
        "http://127.0.0.1.region.example/x",
        "ftp://127.0.0.1/x",
        "https://user:word@region.example/x",
        "https:///x",
        "https://region.example:99999/x",
        "/diagnostics/x",
        "",
    ],
)
def test_addresses_that_no_bundle_is_sent_to(url):
    with pytest.raises(UploadError):
        refuse_address(url)


@pytest.mark.parametrize("url", ["https://region.example/x", "http://localhost:8080/x", "http://[::1]:80/x"])
def test_addresses_that_a_bundle_may_be_sent_to(url):
    refuse_address(url)
