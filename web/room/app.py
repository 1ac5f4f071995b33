"""The touchscreen's app factory: wires the controller to the page, and owns nothing itself."""

from __future__ import annotations

import logging
from collections.abc import Callable

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from agent.faults import kind_and_place
from agent.screen import RoomController
from agent.speech import Voice
from web.room import api, feed, guard, pages, speech
from web.room.guard import plain
from web.room.settings import RoomWebSettings

log = logging.getLogger(__name__)

STREAMS = "room.streams"
"""Where the app keeps its count of open feeds, for the server to end them."""


def create_app(
    controller: RoomController,
    settings: RoomWebSettings,
    voice: Voice | None = None,
    painted: Callable[[str], None] = lambda _browser: None,
) -> Flask:
    """The app for one room's own browser. The controller's methods, the voice's and `painted`, which is told that
    a page lives and its browser's version (agent/screen_alive.py), are called on web threads."""
    app = Flask(__name__)
    app.json.sort_keys = False  # type: ignore[attr-defined]  # Swedish stands first among the languages
    streams = feed.Streams(settings.max_streams)
    app.extensions[STREAMS] = streams
    guard.install(app, settings)
    app.register_error_handler(Exception, fault)
    app.register_blueprint(pages.blueprint(settings))
    app.register_blueprint(feed.blueprint(controller, streams))
    app.register_blueprint(api.touches(controller))
    app.register_blueprint(api.quality(controller))
    app.register_blueprint(api.stalled(controller))
    app.register_blueprint(api.whep(controller))
    app.register_blueprint(api.signs_of_life(painted))
    if voice is not None:
        app.register_blueprint(speech.blueprint(voice))
    return app


def fault(error: Exception) -> Response | HTTPException:
    """An error that nobody foresaw. Flask would log its text, which may carry what someone typed."""
    if isinstance(error, HTTPException):
        return error
    log.error("%s %s: %s", request.method, request.endpoint, kind_and_place(error))
    return plain("The room could not do that. Try again, or ask for help.", 500)
