"""Where it begins: release 0.3.0."""

from __future__ import annotations

revision = "2"
down_revision = None


def upgrade() -> None:
    """Nothing: this is the schema that release 0.3.0 made."""
