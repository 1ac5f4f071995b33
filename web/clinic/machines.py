"""What machines ask of the region, beside people and booking systems: health, figures, bundles of diagnostics."""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
from typing import IO, Protocol
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, current_app, request
from werkzeug.exceptions import ClientDisconnected

from web.clinic.services import Account
from web.clinic.signin import require_sign_in
from web.clinic.state import account
from web.clinic.uploads import UploadRefused

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""Prometheus' text exposition format."""
DIAGNOSTICS_PREFIX = "/diagnostics/"
MAX_BUNDLE_BYTES = 8 * 1024 * 1024
ANY_HOST = frozenset({"/metrics", "/healthz"})
"""Asked by neighbours under the machine's own name."""
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via")
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_EXTENSION = "halsorum.machines"


class Machines(Protocol):
    """The region, as its neighbours see it. Every method may be called on any thread."""

    metrics_token: str | None

    def standing(self) -> str:
        """`ok`, or why requests are not for this instance now: `standby`."""

    def metrics(self) -> bytes:
        """The fleet's figures in Prometheus' text format."""

    def put_diagnostics(self, token: str, body: IO[bytes], length: int, sha256: bytes | None) -> None:
        """Keep a unit's bundle; raises UploadRefused."""

    def read_diagnostics(self, account: Account, upload_id: int) -> tuple[str, bytes]:
        """A bundle's file name and content, for IT; raises NotAllowed, Refused."""


pages = Blueprint("machines", __name__)
downloads = Blueprint("diagnostics", __name__)
downloads.before_request(require_sign_in)


def machines() -> Machines | None:
    """Where the app was given any."""
    found: Machines | None = current_app.extensions.get(_EXTENSION)
    return found


def hold(extensions: dict[str, object], given: Machines | None) -> None:
    """Let the app know them."""
    extensions[_EXTENSION] = given


def is_upload() -> bool:
    """Whether this is a unit with a bundle: its address is the secret, and it carries no cookie."""
    return request.method == "PUT" and request.path.startswith(DIAGNOSTICS_PREFIX)


@pages.get("/healthz")
def healthz() -> Response:
    """503 where another instance is the one to ask, for a proxy that chooses between the two."""
    here = machines()
    standing = here.standing() if here is not None else "ok"
    return Response(f"{standing}\n", 200 if standing == "ok" else 503, mimetype="text/plain")


@pages.get("/metrics")
def metrics() -> Response:
    """For Prometheus: with the bearer token of the settings, or from this machine where there is none."""
    here = machines()
    if here is None:
        abort(404)
    if not _may_see_metrics(here.metrics_token):
        abort(403)
    return Response(here.metrics(), content_type=METRICS_TYPE)


@pages.put(f"{DIAGNOSTICS_PREFIX}<token>")
def put_diagnostics(token: str) -> Response:
    """A unit's bundle, once."""
    here, length = machines(), request.content_length
    if here is None:
        abort(404)
    if length is None:
        return _plain(411)
    if length > MAX_BUNDLE_BYTES:
        return _plain(413)
    request.max_content_length = MAX_BUNDLE_BYTES
    try:
        here.put_diagnostics(token, request.stream, length, _content_digest())
    except UploadRefused as error:
        return _plain(error.status)
    except ClientDisconnected:
        return _plain(400)
    return Response(status=204)


@downloads.get("/api/diagnostics/<int:upload_id>")
def read_diagnostics(upload_id: int) -> Response:
    """For IT; stands in the audit log."""
    here = machines()
    if here is None:
        abort(404)
    name, data = here.read_diagnostics(account(), upload_id)
    said = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(data, content_type="application/gzip", headers=said)


def _plain(status: int) -> Response:
    return Response("", status=status, mimetype="text/plain")


def _content_digest() -> bytes | None:
    """RFC 9530, section 2: `sha-256=:base64:`; 400 for one that cannot be read."""
    said = request.headers.get("Content-Digest", "")
    for member in said.split(","):
        name, _, value = member.strip().partition("=")
        if name == "sha-256":
            try:
                return base64.b64decode(value.strip(":"), validate=True)
            except binascii.Error:
                abort(400)
    return None


def _may_see_metrics(token: str | None) -> bool:
    if token:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(given.encode(), token.encode())
    # A proxy on this machine would bring the whole world here: what was forwarded is not from this machine.
    forwarded = any(name in request.headers for name in _FORWARDED)
    host = urlsplit(f"//{request.headers.get('Host', '')}").hostname
    return not forwarded and host in _LOOPBACK_NAMES and _is_loopback(request.remote_addr or "")


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
