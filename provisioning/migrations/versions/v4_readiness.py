"""Rooms that are not ready: units' faults over time, who is told, and what they were told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from provisioning.migrations.v4_tables import NEW

revision = "4"
down_revision = "3"


def upgrade() -> None:
    """Three tables; what a unit lacks now is taken from its next report."""
    for table in NEW:
        table.create(op.get_bind())
    facts = sa.table("facts", sa.column("name", sa.String), sa.column("value", sa.String))
    op.execute(facts.update().where(facts.c.name == "schema_version").values(value=revision))
