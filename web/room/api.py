"""Touches and pictures: what the page asks for."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import BadRequest

from agent.screen import NoSuchMedia, RoomController
from web.pause import Pause
from web.room.guard import plain
from web.room.wire import BadTouch, outcome_json, shown_from, stalled_from, touch_from

log = logging.getLogger(__name__)

SDP = "application/sdp"
QUALITY_EVERY_S = 2.0
"""Pages send every five seconds; a reload may begin in between."""
BROWSER = re.compile(r"[0-9.]{1,40}")
PEER_ID = re.compile(r"[A-Za-z0-9._-]{1,80}")


def touches(controller: RoomController) -> Blueprint:
    """`POST /api/touch`: 200 with the outcome, also when it was refused; 400 for what is no touch."""
    bp = Blueprint("touches", __name__)

    @bp.post("/api/touch")
    def touch() -> Response:
        try:
            asked = touch_from(request.get_json())
        except BadTouch as error:
            return plain(str(error), 400)
        except BadRequest:
            return plain("The body must be JSON, sent as application/json.", 400)
        try:
            outcome = controller.touch(asked)
        except LookupError:
            return plain("The room did not answer in time. Try again.", 503)
        if not outcome.ok:
            log.info("touch %s refused: %s", asked.kind, outcome.refusal)
        return jsonify(outcome_json(outcome))

    return bp


def quality(controller: RoomController) -> Blueprint:
    """`POST /api/quality`: how the page showed each party; 204, 400 for what is none, 429 if too often."""
    bp = Blueprint("quality", __name__)
    pause = Pause(QUALITY_EVERY_S)

    @bp.post("/api/quality")
    def figures() -> Response:
        try:
            shown = shown_from(request.get_data())
        except BadTouch as error:
            return plain(str(error), 400)
        if not pause.lets_through():
            return plain("Once every five seconds is enough.", 429)
        for peer, received in shown.items():
            controller.shown(peer, received)
        return Response(status=204)

    return bp


def stalled(controller: RoomController) -> Blueprint:
    """`POST /api/stalled`: all parties whose picture stands still on the page; 204, or 400 for what is none."""
    bp = Blueprint("stalled", __name__)

    @bp.post("/api/stalled")
    def standing_still() -> Response:
        try:
            controller.stands_still(stalled_from(request.get_data()))
        except BadTouch as error:
            return plain(str(error), 400)
        return Response(status=204)

    return bp


def signs_of_life(painted: Callable[[str], None]) -> Blueprint:
    """`POST /api/painted`: the page has painted; the body is the browser's version or nothing. 204, or 400."""
    bp = Blueprint("signs_of_life", __name__)

    @bp.post("/api/painted")
    def has_painted() -> Response:
        browser = request.get_data(as_text=True)
        if browser and not BROWSER.fullmatch(browser):
            return plain("The body is the browser's version, or empty.", 400)
        painted(browser)
        return Response(status=204)

    return bp


def whep(controller: RoomController) -> Blueprint:
    """RFC 9725 sections 4.2 and 4.4: an offer is posted, the answer names the resource that ends it."""
    bp = Blueprint("whep", __name__, url_prefix="/whep")

    def connect(name: str) -> Response:
        if request.mimetype != SDP:
            return plain(f"An offer is sent as {SDP}.", 415)
        offer = request.get_data(as_text=True)
        if not offer.startswith("v=0"):
            return plain("The body is no session description.", 400)
        try:
            answer = controller.whep_offer(name, offer)
        except NoSuchMedia:
            return plain("There is no such picture or sound now.", 404)
        except ValueError:
            # The offer's text stays out of answer and log: it holds network addresses.
            log.warning("an offer for %s could not be used", name.split("/", maxsplit=1)[0])
            return plain("The session description could not be used.", 400)
        response = Response(answer.sdp, status=201, content_type=SDP)
        response.headers["Location"] = f"/whep/resource/{answer.resource}"
        return response

    @bp.post("/self")
    def self_view() -> Response:
        return connect("self")

    @bp.post("/peer/<peer>")
    def remote(peer: str) -> Response:
        if not PEER_ID.fullmatch(peer):
            return plain("There is no such picture or sound now.", 404)
        return connect(f"peer/{peer}")

    @bp.delete("/resource/<resource>")
    def end(resource: str) -> Response:
        controller.whep_close(resource)
        return Response(status=200)

    return bp
