"""What every request and every answer must be: our host, our origin, our token, and strict headers."""

from __future__ import annotations

import hmac
import secrets
from urllib.parse import urlsplit

from flask import Flask, Response, abort, request, session

from web.clinic.machines import ANY_HOST, is_upload
from web.clinic.settings import WebSettings

CSRF_FIELD = "csrf_token"
CSRF_HEADER = "X-CSRF-Token"
MAX_BODY_BYTES = 256 * 1024
FHIR_PREFIX = "/fhir"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_UNCHANGING = frozenset({"static", "shared"})
_OWN_SITE = frozenset({"same-origin", "none"})
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(self), geolocation=(), display-capture=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_MEETING = "meeting.page"
_MEETING_PERMISSIONS = "camera=(self), microphone=(self), geolocation=(), display-capture=(self)"
"""In a meeting one may show one's screen (W3C Screen Capture, section 7.1)."""


def csrf_token() -> str:
    """This browser's token, made when first asked for."""
    if "csrf" not in session:
        session["csrf"] = secrets.token_urlsafe(24)
    return str(session["csrf"])


def guard(app: Flask, settings: WebSettings) -> None:
    """Put the checks in front of every view and the headers on every answer."""
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SESSION_COOKIE_NAME="__Host-halsorum" if settings.secure else "halsorum_region",
        SESSION_COOKIE_SECURE=settings.secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES,
    )
    hosts = settings.hosts

    @app.before_request
    def check() -> None:
        if request.path not in ANY_HOST and not is_upload():
            _check_host(hosts)
        _check_origin()
        if request.method not in _SAFE and not is_fhir() and not is_upload():
            _check_csrf()

    @app.after_request
    def add_headers(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers[name] = value
        if request.endpoint == _MEETING:
            response.headers["Permissions-Policy"] = _MEETING_PERMISSIONS
        if request.endpoint in _UNCHANGING:
            # Asked for again at each page load, answered 304: a reload in a call is quicker.
            response.headers["Cache-Control"] = "no-cache"
        if settings.secure:
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        return response


def is_fhir() -> bool:
    """Whether this is a booking system's request, which carries a bearer token and no cookie."""
    return request.path == FHIR_PREFIX or request.path.startswith(FHIR_PREFIX + "/")


def _check_host(hosts: frozenset[str]) -> None:
    if request.headers.get("Host", "").lower() not in hosts:
        abort(421)


def _check_origin() -> None:
    """Another site's page may neither post here nor open a feed, whose opening joins a meeting.

    Under our Referrer-Policy browsers send `Origin: null` with our own forms, so that value says nothing;
    Sec-Fetch-Site (W3C Fetch Metadata) tells the two apart.
    """
    origin = request.headers.get("Origin", "null")
    if origin != "null" and urlsplit(origin).netloc.lower() != request.headers.get("Host", "").lower():
        abort(403)
    matters = request.method not in _SAFE or request.path.startswith("/api/")
    if matters and request.headers.get("Sec-Fetch-Site", "same-origin") not in _OWN_SITE:
        abort(403)


def _check_csrf() -> None:
    given = request.headers.get(CSRF_HEADER) or request.form.get(CSRF_FIELD) or ""
    kept = session.get("csrf")
    if not isinstance(kept, str) or not hmac.compare_digest(kept.encode(), given.encode()):
        abort(400, "csrf")
