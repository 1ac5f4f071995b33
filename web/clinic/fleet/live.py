"""Parts of a page that stay true by themselves: asked for again every few seconds, sent when they have changed."""

from __future__ import annotations

from flask import Response, make_response, request


def fragment(html: str) -> Response:
    """A part of a page; 304 without a body for a page that has it so already (RFC 9110, section 13.1.2)."""
    response = make_response(html)
    response.add_etag()
    response.make_conditional(request)
    return response
