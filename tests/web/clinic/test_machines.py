"""What neighbours of the region may ask: health, figures, a place for a bundle."""

import base64
import hashlib

import pytest
from conftest import Browser

from web.clinic import create_app, machines
from web.clinic.services import NotAllowed
from web.clinic.settings import WebSettings
from web.clinic.uploads import UploadRefused

DATA = b"bundle"
PATH = "/diagnostics/secret"


class Neighbours:
    def __init__(self):
        self.metrics_token, self.said, self.got = None, "ok", []

    def standing(self):
        return self.said

    def metrics(self):
        return b"figure 1\n"

    def put_diagnostics(self, token, body, length, sha256):
        if token != "secret":
            raise UploadRefused(404)
        self.got.append((body.read(length), sha256))

    def read_diagnostics(self, account, upload_id):
        if account.role != "it":
            raise NotAllowed
        return "unit-1.tar.gz", DATA


@pytest.fixture
def neighbours():
    return Neighbours()


@pytest.fixture
def client(region, neighbours):
    settings = WebSettings("s" * 32, "https://video.region.example")
    return create_app(region, region, settings, neighbours=neighbours).test_client()


def ask(client, path="/metrics", host="127.0.0.1:8080", peer="127.0.0.1", **headers):
    environment = {"REMOTE_ADDR": peer}
    return client.get(
        path, headers={"Host": host, **headers}, environ_overrides=environment, base_url="http://x"
    )


def test_a_proxy_learns_which_instance_to_ask(client, neighbours):
    assert ask(client, "/healthz").status_code == 200
    neighbours.said = "standby"
    answer = ask(client, "/healthz", host="region-2.internal", peer="192.0.2.7")
    assert (answer.status_code, answer.text) == (503, "standby\n")


def test_figures_are_for_this_machine_alone_without_a_token(client):
    assert ask(client).data == b"figure 1\n"
    assert ask(client, peer="192.0.2.7").status_code == 403
    assert ask(client, host="video.region.example").status_code == 403
    assert ask(client, **{"X-Forwarded-For": "192.0.2.7"}).status_code == 403


def test_figures_are_for_whoever_has_the_token(client, neighbours):
    neighbours.metrics_token = "word"
    assert ask(client).status_code == 403
    assert ask(client, Authorization="Bearer wörd").status_code == 403
    assert ask(client, peer="192.0.2.7", Authorization="Bearer word").status_code == 200


def test_a_bundle_is_put_without_cookie_or_form(client, neighbours):
    digest = hashlib.sha256(DATA).digest()
    said = {
        "Content-Digest": f"md5=:x:, sha-256=:{base64.b64encode(digest).decode()}:",
        "Host": "units.example",
    }
    assert client.put(PATH, data=DATA, headers=said).status_code == 204
    assert neighbours.got == [(DATA, digest)]
    assert client.put("/diagnostics/other", data=DATA).status_code == 404
    assert client.put(PATH, data=DATA, headers={"Content-Digest": "sha-256=:%:"}).status_code == 400
    assert client.put(PATH, data=b"x" * (machines.MAX_BUNDLE_BYTES + 1)).status_code == 413
    assert client.put(PATH, data=b"x" * (machines.MAX_BUNDLE_BYTES - 1)).status_code == 204
    assert client.post(PATH, data=DATA, headers={"Host": "video.region.example"}).status_code == 400
    assert len(neighbours.got) == 2


def test_only_it_reads_a_bundle(app, stranger):
    machines.hold(app.extensions, Neighbours())
    assert stranger.get("/api/diagnostics/1").status_code == 401
    stranger.sign_in("anna")
    assert stranger.get("/api/diagnostics/1").status_code == 403
    ivar = Browser(app.test_client())
    ivar.sign_in("ivar")
    answer = ivar.get("/api/diagnostics/1")
    assert answer.data == DATA
    assert "unit-1.tar.gz" in answer.headers["Content-Disposition"]
