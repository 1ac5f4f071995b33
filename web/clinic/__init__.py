"""The pages of clinicians, staff and IT at the region."""

from __future__ import annotations

from typing import TYPE_CHECKING

from web.clinic.settings import WebSettings

if TYPE_CHECKING:
    from web.clinic.app import create_app

__all__ = ["WebSettings", "create_app"]


def __getattr__(name: str) -> object:
    """`create_app` is loaded when asked for: the command line needs `services` alone, and no Flask."""
    if name == "create_app":
        from web.clinic.app import create_app

        return create_app
    raise AttributeError(f"module {__name__} has no attribute {name}")
