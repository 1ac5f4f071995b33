"""Who is answered: the room's own browser, on its own origin, with this boot's secret. And with what headers."""

from __future__ import annotations

import hmac

from flask import Flask, Request, Response, request

from web.room.catalogue import text
from web.room.settings import RoomWebSettings

MAX_BODY_BYTES = 64 * 1024
"""A WebRTC offer of one picture and one sound is under 10 KiB."""
OPEN_PATHS = frozenset({"/enter", "/healthz"})
UNSAFE_METHODS = frozenset({"POST", "DELETE", "PUT", "PATCH"})

HEADERS = {
    "Content-Security-Policy": "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            # The kiosk's guard, which the page calls while the agent is away (firmware/kiosk/lifeline.py).
            "connect-src 'self' http://127.0.0.2:*",
            # What the unit says is fetched by a script and played from its memory.
            "media-src blob:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
        ]
    ),
    # The agent captures; the browser only plays.
    "Permissions-Policy": "camera=(), microphone=(), display-capture=(), geolocation=(), autoplay=(self)",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def plain(message: str, status: int) -> Response:
    """A page of text for whoever got here by mistake."""
    return Response(message + "\n", status=status, content_type="text/plain; charset=utf-8")


def install(app: Flask, settings: RoomWebSettings) -> None:
    """Check each request before anything else sees it, and put the headers on each response."""
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES

    @app.before_request
    def check() -> Response | None:
        return refusal(request, settings)

    @app.after_request
    def finish(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"
        return response


def refusal(asked: Request, settings: RoomWebSettings) -> Response | None:
    """None when the request may go on; otherwise what to answer (RFC 9110 section 15.5.20 for 421)."""
    if asked.headers.get("Host", "") not in settings.allowed_hosts:
        return plain(
            f"This is not the address of the room's screen. Open http://localhost:{settings.port}/", 421
        )
    if asked.headers.get("Sec-Fetch-Site", "none") not in {"same-origin", "none"} and asked.path != "/enter":
        return plain("Only the room's own page may ask.", 403)
    if asked.method in UNSAFE_METHODS and asked.headers.get("Origin") != f"http://{asked.headers['Host']}":
        return plain("Only the room's own page may ask.", 403)
    if asked.path in OPEN_PATHS or knows_secret(asked.cookies.get(settings.cookie_name, ""), settings):
        return None
    return plain(f"{text('sv', 'entry.locked')}\n{text('en', 'entry.locked')}", 403)


def knows_secret(offered: str, settings: RoomWebSettings) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(offered.encode(), settings.browser_secret.encode())
