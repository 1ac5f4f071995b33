"""The page itself, the door to it, and what it is drawn with."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response, jsonify, redirect, render_template, request, send_from_directory
from werkzeug.wrappers import Response as AnyResponse

from web.room.catalogue import FIRST_LANGUAGE, catalogues
from web.room.guard import knows_secret, plain
from web.room.settings import RoomWebSettings

STATIC_FOLDER = Path(__file__).parent / "static"
SHARED_FOLDER = Path(__file__).parent.parent / "shared"


def blueprint(settings: RoomWebSettings) -> Blueprint:
    """`/`, `/enter`, `/wipe`, `/healthz`, the texts and the style's values."""
    bp = Blueprint("pages", __name__)

    @bp.get("/healthz")
    def health() -> Response:
        return plain("ok", 200)

    @bp.get("/enter")
    def enter() -> AnyResponse:
        if not knows_secret(request.args.get("key", ""), settings):
            return plain("This key is not this boot's. Restart the screen's browser.", 403)
        # Sent here by the kiosk's own starting page, a redirect would still be that page's doing, and a Strict
        # cookie is not given to it (RFC 6265bis section 5.2): our own page must begin the next step.
        came_by_itself = request.headers.get("Sec-Fetch-Site", "none") in {"same-origin", "none"}
        response = redirect("/", 303) if came_by_itself else Response(headers={"Refresh": "0; url=/"})
        response.set_cookie(
            settings.cookie_name, settings.browser_secret, httponly=True, samesite="Strict", path="/"
        )
        return response

    # Told at once, so that the browser need not read one module to learn of the next.
    modules = [file.relative_to(STATIC_FOLDER).as_posix() for file in sorted(STATIC_FOLDER.rglob("*.js"))]

    @bp.get("/")
    def page() -> str:
        return render_template(
            "room.html", language=FIRST_LANGUAGE, time_zone=settings.time_zone, modules=modules
        )

    @bp.get("/wipe")
    def wipe() -> AnyResponse:
        """A fresh page after a session. The cookie stays: it is the browser's, not the patient's."""
        response = redirect("/", 303)
        response.headers["Clear-Site-Data"] = '"cache", "storage"'
        return response

    @bp.get("/api/languages")
    def languages() -> Response:
        return jsonify(catalogues())

    @bp.get("/screen.css")
    def screen_size() -> Response:
        css = f":root {{ --mm: {settings.px_per_mm:.4f}px; }}\n"
        return Response(css, content_type="text/css; charset=utf-8")

    @bp.get("/shared/<path:name>")
    def shared(name: str) -> Response:
        return send_from_directory(SHARED_FOLDER, name)

    return bp
