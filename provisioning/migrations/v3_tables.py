"""The tables that schema 3 brings, as they were then. Written by provisioning.migrations.draft."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

from provisioning.models import NAMES

TABLES = MetaData(naming_convention=NAMES)

Table("units", TABLES, Column("id", String(63), primary_key=True))
Table(
    "audit_log",
    TABLES,
    Column("seq", Integer(), primary_key=True, autoincrement=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("by", String(64), nullable=False),
    Column("action", String(40), nullable=False),
    Column("target", String(120), nullable=False),
    Column("fields", JSON(), nullable=False),
    Column("prev", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)
Index("ix_audit_log_action", TABLES.tables["audit_log"].c["action"])
Index("ix_audit_log_at", TABLES.tables["audit_log"].c["at"])
Index("ix_audit_log_by", TABLES.tables["audit_log"].c["by"])
Index("ix_audit_log_target", TABLES.tables["audit_log"].c["target"])
Table(
    "bootstraps",
    TABLES,
    Column("serial", String(63), primary_key=True),
    Column("state", String(10), nullable=False),
    Column("unit_id", String(63), nullable=True),
    Column("certificate_sha256", String(64), nullable=True),
    Column("first_seen_at", DateTime(timezone=True), nullable=True),
    Column("changed_at", DateTime(timezone=True), nullable=False),
)
Index("ix_bootstraps_unit_id", TABLES.tables["bootstraps"].c["unit_id"])
Table(
    "diagnostics_uploads",
    TABLES,
    Column("id", Integer(), primary_key=True),
    Column("token_digest", String(64), nullable=False),
    Column("unit_id", String(63), nullable=False),
    Column("command_id", String(64), nullable=True),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("came_at", DateTime(timezone=True), nullable=True),
    Column("bytes", Integer(), nullable=False),
    Column("sha256", String(64), nullable=False),
    UniqueConstraint("token_digest"),
)
Index("ix_diagnostics_uploads_unit_id", TABLES.tables["diagnostics_uploads"].c["unit_id"])
Table(
    "enrolments",
    TABLES,
    Column("id", Integer(), primary_key=True),
    Column("serial", String(63), nullable=False),
    Column("request_sha256", String(64), nullable=False),
    Column("key_sha256", String(64), nullable=False),
    Column("csr", String(), nullable=False),
    Column("why", String(10), nullable=False),
    Column("was", String(63), nullable=True),
    Column("software", String(120), nullable=False),
    Column("board", String(120), nullable=False),
    Column("state", String(10), nullable=False),
    Column("asked_at", DateTime(timezone=True), nullable=False),
    Column("heard_at", DateTime(timezone=True), nullable=False),
    Column("decided_at", DateTime(timezone=True), nullable=True),
    Column("decided_by", String(64), nullable=True),
    Column("reason", String(), nullable=False),
    Column("unit_id", String(63), nullable=True),
    Column("room_id", String(64), nullable=True),
    Column("certificate", String(), nullable=True),
    Column("certificate_sha256", String(64), nullable=True),
    UniqueConstraint("request_sha256"),
)
Index("ix_enrolments_key_sha256", TABLES.tables["enrolments"].c["key_sha256"])
Index("ix_enrolments_serial", TABLES.tables["enrolments"].c["serial"])
Index("ix_enrolments_state", TABLES.tables["enrolments"].c["state"])
Index("ix_enrolments_unit_id", TABLES.tables["enrolments"].c["unit_id"])
Table(
    "issued_certificates",
    TABLES,
    Column("id", Integer(), primary_key=True),
    Column("unit_id", String(63), nullable=False),
    Column("purpose", String(12), nullable=False),
    Column("request_sha256", String(64), nullable=False),
    Column("key_sha256", String(64), nullable=False),
    Column("certificate_sha256", String(64), nullable=False),
    Column("certificate", String(), nullable=False),
    Column("not_after", DateTime(timezone=True), nullable=False),
    Column("issued_at", DateTime(timezone=True), nullable=False),
    Column("proven_at", DateTime(timezone=True), nullable=True),
    UniqueConstraint("request_sha256"),
    UniqueConstraint("certificate_sha256"),
)
Index("ix_issued_certificates_key_sha256", TABLES.tables["issued_certificates"].c["key_sha256"])
Index("ix_issued_certificates_unit_id", TABLES.tables["issued_certificates"].c["unit_id"])
Table(
    "revocations",
    TABLES,
    Column("unit_id", String(63), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("by", String(64), nullable=False),
    Column("reason", String(), nullable=False),
)
Table(
    "rollouts",
    TABLES,
    Column("id", Integer(), primary_key=True),
    Column("what", String(10), nullable=False),
    Column("title", String(120), nullable=False),
    Column("payload", JSON(), nullable=False),
    Column("stages", JSON(), nullable=False),
    Column("stage", Integer(), nullable=False),
    Column("failures_allowed", String(8), nullable=False),
    Column("state", String(10), nullable=False),
    Column("reason", String(), nullable=False),
    Column("by", String(64), nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    Column("wait_s", Integer(), nullable=False),
)
Index("ix_rollouts_state", TABLES.tables["rollouts"].c["state"])
Table(
    "unit_groups",
    TABLES,
    Column("name", String(40), primary_key=True),
    Column("about", String(200), nullable=False),
    Column("config", JSON(), nullable=False),
    Column("rank", Integer(), nullable=False),
)
Table(
    "unit_history",
    TABLES,
    Column("id", Integer(), primary_key=True),
    Column("unit_id", String(63), nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("fields", JSON(), nullable=False),
)
Index("ix_unit_history_at", TABLES.tables["unit_history"].c["at"])
Index("ix_unit_history_unit_id", TABLES.tables["unit_history"].c["unit_id"])
Table(
    "unit_telemetry",
    TABLES,
    Column("unit_id", String(63), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("heard_at", DateTime(timezone=True), nullable=False),
    Column("figures", JSON(), nullable=False),
)
Table(
    "commands",
    TABLES,
    Column("id", String(64), primary_key=True),
    Column("unit_id", String(63), ForeignKey("units.id"), nullable=False),
    Column("name", String(40), nullable=False),
    Column("arguments", JSON(), nullable=False),
    Column("timeout_s", Integer(), nullable=False),
    Column("by", String(64), nullable=False),
    Column("rollout_id", Integer(), nullable=True),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("state", String(10), nullable=False),
    Column("cancel", Boolean(), nullable=False),
    Column("reason", String(), nullable=False),
    Column("result", JSON(), nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    Column("published", Boolean(), nullable=False),
    Column("cleared", Boolean(), nullable=False),
)
Index("ix_commands_cleared", TABLES.tables["commands"].c["cleared"])
Index("ix_commands_rollout_id", TABLES.tables["commands"].c["rollout_id"])
Index("ix_commands_state", TABLES.tables["commands"].c["state"])
Index("ix_commands_unit_id", TABLES.tables["commands"].c["unit_id"])
Table(
    "config_revisions",
    TABLES,
    Column("id", Integer(), primary_key=True),
    Column("unit_id", String(63), ForeignKey("units.id"), nullable=False),
    Column("epoch", Integer(), nullable=False),
    Column("rev", Integer(), nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("by", String(64), nullable=False),
    Column("config", JSON(), nullable=False),
    UniqueConstraint("unit_id", "epoch", "rev"),
)
Index("ix_config_revisions_unit_id", TABLES.tables["config_revisions"].c["unit_id"])
Table(
    "rollout_units",
    TABLES,
    Column("rollout_id", Integer(), ForeignKey("rollouts.id"), primary_key=True),
    Column("unit_id", String(63), ForeignKey("units.id"), primary_key=True),
    Column("stage", Integer(), nullable=False),
    Column("state", String(10), nullable=False),
    Column("reason", String(), nullable=False),
    Column("sent_at", DateTime(timezone=True), nullable=True),
    Column("rev", Integer(), nullable=True),
    Column("command_id", String(64), nullable=True),
)
Table(
    "unit_group_members",
    TABLES,
    Column("group", String(40), ForeignKey("unit_groups.name"), primary_key=True),
    Column("unit_id", String(63), ForeignKey("units.id"), primary_key=True),
)
Index("ix_unit_group_members_unit_id", TABLES.tables["unit_group_members"].c["unit_id"])
NEW = tuple(
    TABLES.tables[name]
    for name in (
        "audit_log",
        "bootstraps",
        "diagnostics_uploads",
        "enrolments",
        "issued_certificates",
        "revocations",
        "rollouts",
        "unit_groups",
        "unit_history",
        "unit_telemetry",
        "commands",
        "config_revisions",
        "rollout_units",
        "unit_group_members",
    )
)
