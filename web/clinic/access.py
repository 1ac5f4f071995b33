"""The access log at work: every page that shows sessions is noted before its answer leaves."""

from __future__ import annotations

from flask import Flask, Response, g, request

from web.clinic.people import AccessKind
from web.clinic.state import clinic

KINDS: dict[str, AccessKind] = {
    "today.page": "list",
    "today.rows": "list",
    "sessions.page": "session",
    "sessions.log": "log",
    "meeting.page": "meeting",
    "meeting.feed": "meeting",
    "meeting.ended": "summary",
    "queue.page": "queue",
    "queue.rows": "queue",
    "calls.page": "calls",
    "calls.course": "course",
}
"""What each page shows. Any other page about one session is logged as that session's."""
_SHOWN = range(200, 300)
_REFUSED = 403


def register(app: Flask) -> None:
    """Note after every view; an answer that cannot be noted is not given (the error becomes a page)."""

    @app.after_request
    def note(response: Response) -> Response:
        account, sid = g.get("account"), (request.view_args or {}).get("sid")
        kind = KINDS.get(request.endpoint or "") or ("session" if sid else None)
        refused = response.status_code == _REFUSED
        if account is None or kind is None or request.method not in ("GET", "HEAD"):
            return response
        if response.status_code in _SHOWN or refused:
            day = _day() if kind == "list" else None
            clinic().services.looked(account, kind, sid=sid, day=day, refused=refused)
        return response


def _day() -> str:
    return request.args.get("day") or clinic().local(clinic().now()).strftime("%Y-%m-%d")
