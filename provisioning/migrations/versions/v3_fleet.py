"""The fleet: enrolment, configuration in layers, commands, rollouts, telemetry, diagnostics, the audit log."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from provisioning.migrations.v3_tables import NEW

revision = "3"
down_revision = "2"

OF_ROOMS = ("staff", "rooms", "queues")
"""Of a unit's configuration, what release 0.3.0 took from its room; the rest was set on the unit itself."""


def upgrade() -> None:
    """Add what is missing; nothing of what is there is lost."""
    for table in NEW:
        table.create(op.get_bind())
    _add("unit_reports", "config_epoch", sa.Integer(), "0")
    _add("unit_reports", "config_state", sa.String(12), "")
    _add("unit_reports", "config_wanted_rev", sa.Integer(), "0")
    op.add_column("unit_reports", sa.Column("heard_at", sa.DateTime(timezone=True)))
    _add("units", "config_epoch", sa.Integer(), "1")
    _add("units", "config_own", sa.JSON(), "{}")
    op.add_column("units", sa.Column("serial", sa.String(63)))
    op.create_index("ix_units_serial", "units", ["serial"])
    _divide_configurations(op.get_bind())
    facts = sa.table("facts", sa.column("name", sa.String), sa.column("value", sa.String))
    op.bulk_insert(facts, [{"name": "audit_head", "value": "0:"}])
    op.execute(facts.update().where(facts.c.name == "schema_version").values(value=revision))


def _add(table: str, name: str, kind: sa.types.TypeEngine[Any], value: str) -> None:
    # The default is for the rows that are there: the models give every new one its value.
    op.add_column(table, sa.Column(name, kind, nullable=False, server_default=value))


def _divide_configurations(connection: sa.Connection) -> None:
    """What was set on a unit itself is now kept by itself, beside the whole."""
    units = sa.table("units", sa.column("id"), sa.column("config", sa.JSON), sa.column("config_own", sa.JSON))
    rooms = sa.table("rooms", sa.column("unit_id"), sa.column("name"))
    names: dict[str | None, str] = {row.unit_id: row.name for row in connection.execute(sa.select(rooms))}
    for unit, config in connection.execute(sa.select(units.c.id, units.c.config)).all():
        own = {name: value for name, value in config.items() if name not in OF_ROOMS and value is not None}
        if own.get("room_name") == names.get(unit):
            own.pop("room_name", None)
        connection.execute(units.update().where(units.c.id == unit).values(config_own=own))
