"""The touchscreen's app factory: wires the controller to the page, and owns nothing itself."""

from __future__ import annotations

from flask import Flask

from agent.screen import RoomController
from web.room import api, feed, guard, pages
from web.room.settings import RoomWebSettings

STREAMS = "room.streams"
"""Where the app keeps its count of open feeds, for the server to end them."""


def create_app(controller: RoomController, settings: RoomWebSettings) -> Flask:
    """The app for one room's own browser. The controller's methods are called on web threads."""
    app = Flask(__name__)
    app.json.sort_keys = False  # type: ignore[attr-defined]  # Swedish stands first among the languages
    streams = feed.Streams(settings.max_streams)
    app.extensions[STREAMS] = streams
    guard.install(app, settings)
    app.register_blueprint(pages.blueprint(settings))
    app.register_blueprint(feed.blueprint(controller, streams))
    app.register_blueprint(api.touches(controller))
    app.register_blueprint(api.whep(controller))
    return app
