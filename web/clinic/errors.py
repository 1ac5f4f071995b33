"""Refusals in the form the asker reads: a page, JSON, or an OperationOutcome."""

from __future__ import annotations

import logging

from flask import Flask, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import (
    BadRequest,
    Forbidden,
    HTTPException,
    InternalServerError,
    NotFound,
    UnprocessableEntity,
)

from agent.faults import kind_and_place
from web.clinic import fhir
from web.clinic.refusals import refusal_words
from web.clinic.security import is_fhir
from web.clinic.services import NotAllowed, Refused
from web.clinic.state import texts

_log = logging.getLogger(__name__)
WORDED = (400, 403, 404, 405, 413, 421, 500)


def register(app: Flask) -> None:
    """Handle what views raise."""

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> ResponseReturnValue:
        return _answer(error)

    @app.errorhandler(NotAllowed)
    def not_allowed(_: NotAllowed) -> ResponseReturnValue:
        return _answer(Forbidden())

    @app.errorhandler(Refused)
    def refused(error: Refused) -> ResponseReturnValue:
        looked_up = request.method in ("GET", "HEAD")
        return _answer(NotFound() if looked_up else UnprocessableEntity(refusal_words(error, texts())))

    @app.errorhandler(Exception)
    def fault(error: Exception) -> ResponseReturnValue:
        # The error's text may carry what someone typed.
        _log.error("%s %s: %s", request.method, request.endpoint, kind_and_place(error))
        return _answer(InternalServerError())


def _answer(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    if status < 400:
        return error.get_response()
    if is_fhir():
        return fhir.outcome(error)
    if request.path.startswith("/api/"):
        return jsonify(error=error.name), status
    if status == BadRequest.code and error.description == "csrf":
        return render_template("clinic/error.html", problem=texts()("error.csrf")), status
    key = status if status in WORDED else 400
    return render_template("clinic/error.html", problem=texts().of("error", key)), status
