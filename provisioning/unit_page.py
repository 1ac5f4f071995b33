"""All that the region knows of one unit, for its page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from provisioning import audit_views, unit_history
from provisioning.config_merge import without_secrets
from provisioning.configurations import Layers
from provisioning.fleet_models import Bootstrap, IssuedCertificate, Revocation, TelemetryRow
from provisioning.fleet_views import unit_lines
from provisioning.models import Unit, UnitKey, UnitReport
from web.clinic.fleet.services import AuditLine, CertificateLine, CommandLine, UnitPage
from web.clinic.services import Refused

NOTHING_SET: tuple[object, ...] = ([], {}, None)


def unit_page(
    db: Session, unit_id: str, now: datetime, *, names: Mapping[str, str], commands: Sequence[CommandLine]
) -> UnitPage:
    """names: of accounts by their ids. Raises Refused for a unit that is not known."""
    unit, report = db.get(Unit, unit_id), db.get(UnitReport, unit_id)
    if unit is None or report is None:
        raise Refused("unit", "is not known")
    (line,) = unit_lines(db, now, unit_id)
    config, origins = Layers.load(db, [unit_id]).of(unit)
    shown = {name: value for name, value in without_secrets(config).items() if value not in NOTHING_SET}
    figures = db.get(TelemetryRow, unit_id)
    return UnitPage(
        line=line,
        info=report.info,
        faults=tuple(str(fault["instruction"]) for fault in report.faults),
        config=shown,
        origins={name: origins[name] for name in shown},
        config_errors=tuple(report.config_errors),
        certificates=_certificates(db, unit_id),
        commands=tuple(commands),
        history=tuple(unit_history.of_unit(db, unit_id)),
        audit=tuple(audit_views.lines(db, names, target=unit_id)),
        telemetry=figures.figures if figures is not None else {},
        telemetry_at=figures.heard_at if figures is not None else None,
        bootstrap=_bootstrap(db, unit),
        revoked=_revoked(db, unit_id, names),
    )


def _certificates(db: Session, unit_id: str) -> tuple[CertificateLine, ...]:
    """The newest first: those that we signed, and those that the unit was added with."""
    query = select(IssuedCertificate).where(IssuedCertificate.unit_id == unit_id)
    issued = {
        row.certificate_sha256: CertificateLine(
            row.certificate_sha256, row.purpose, row.issued_at, row.not_after, row.proven_at
        )
        for row in db.scalars(query)
    }
    for key in db.scalars(select(UnitKey).where(UnitKey.unit_id == unit_id)):
        sha256 = key.certificate_sha256
        issued.setdefault(
            sha256, CertificateLine(sha256, "operational", key.added_at, key.not_after, key.added_at)
        )
    return tuple(sorted(issued.values(), key=lambda each: each.issued_at, reverse=True))


def _bootstrap(db: Session, unit: Unit) -> str | None:
    query = select(Bootstrap.state).where(
        or_(Bootstrap.unit_id == unit.id, Bootstrap.serial == (unit.serial or ""))
    )
    return db.scalar(query.order_by(Bootstrap.changed_at.desc()).limit(1))


def _revoked(db: Session, unit_id: str, names: Mapping[str, str]) -> AuditLine | None:
    row = db.get(Revocation, unit_id)
    if row is None:
        return None
    return AuditLine(row.at, audit_views.name_of(row.by, names), "revoke", unit_id, {"reason": row.reason})
