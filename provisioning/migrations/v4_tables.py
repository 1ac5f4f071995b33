"""The tables that schema 4 brings, as they were then. By provisioning.migrations.draft."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    text,
)

from provisioning.models import NAMES

TABLES = MetaData(naming_convention=NAMES)

Table("clinics", TABLES, Column("id", Integer(), primary_key=True))
Table(
    "unit_faults",
    TABLES,
    Column("id", Integer(), primary_key=True),
    Column("unit_id", String(63), nullable=False),
    Column("probe", String(40), nullable=False),
    Column("instruction", String(40), nullable=False),
    Column("level", String(4), nullable=False),
    Column("since", DateTime(timezone=True), nullable=False),
    Column("until", DateTime(timezone=True), nullable=True),
)
Index("ix_unit_faults_since", TABLES.tables["unit_faults"].c["since"])
Index("ix_unit_faults_unit_id", TABLES.tables["unit_faults"].c["unit_id"])
Index("ix_unit_faults_until", TABLES.tables["unit_faults"].c["until"])
Index(
    "uq_unit_faults_open",
    TABLES.tables["unit_faults"].c["unit_id"],
    TABLES.tables["unit_faults"].c["instruction"],
    unique=True,
    sqlite_where=text("until IS NULL"),
    postgresql_where=text("until IS NULL"),
)
Table(
    "notice_recipients",
    TABLES,
    Column("id", Integer(), primary_key=True),
    Column("clinic_id", Integer(), ForeignKey("clinics.id"), nullable=False),
    Column("name", String(120), nullable=False),
    Column("email", String(254), nullable=True),
    Column("webhook", String(500), nullable=True),
    Column("language", String(2), nullable=False),
    Column("active", Boolean(), nullable=False),
    Column("added_at", DateTime(timezone=True), nullable=False),
)
Index("ix_notice_recipients_clinic_id", TABLES.tables["notice_recipients"].c["clinic_id"])
Table(
    "notices",
    TABLES,
    Column("id", Integer(), primary_key=True),
    Column("recipient_id", Integer(), ForeignKey("notice_recipients.id"), nullable=True),
    Column("channel", String(8), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("room_id", String(64), nullable=False),
    Column("unit_id", String(63), nullable=False),
    Column("fault_id", Integer(), nullable=False),
    Column("instruction", String(40), nullable=False),
    Column("level", String(4), nullable=False),
    Column("since", DateTime(timezone=True), nullable=False),
    Column("next_start", DateTime(timezone=True), nullable=True),
    Column("ref", String(8), nullable=True),
    Column("state", String(8), nullable=False),
    Column("tries", Integer(), nullable=False),
    Column("next_try_at", DateTime(timezone=True), nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("sent_at", DateTime(timezone=True), nullable=True),
    Column("reason", String(120), nullable=False),
    Column("over_at", DateTime(timezone=True), nullable=True),
)
Index("ix_notices_fault_id", TABLES.tables["notices"].c["fault_id"])
Index("ix_notices_made_at", TABLES.tables["notices"].c["made_at"])
Index("ix_notices_recipient_id", TABLES.tables["notices"].c["recipient_id"])
Index("ix_notices_room_id", TABLES.tables["notices"].c["room_id"])
Index("ix_notices_state", TABLES.tables["notices"].c["state"])
NEW = tuple(
    TABLES.tables[name]
    for name in (
        "unit_faults",
        "notice_recipients",
        "notices",
    )
)
