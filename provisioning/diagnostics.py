"""Diagnostics bundles from units: a place for each, once; kept as files beside the database for some days."""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO

from sqlalchemy import select

from provisioning import audit
from provisioning.database import Database
from provisioning.fleet_models import DiagnosticsUpload
from provisioning.models import Unit
from web.clinic.services import Refused
from web.clinic.uploads import UploadRefused

log = logging.getLogger(__name__)

MAX_BYTES = 8 * 1024 * 1024
"""Twice what our units send at most."""
BLOCK_BYTES = 64 * 1024
OPEN_FOR = timedelta(hours=24)
"""A command may be deferred while somebody is in the room."""
FORGET_EVERY = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Kept:
    """A bundle that has come."""

    id: int
    unit: str
    came_at: datetime
    bytes: int
    sha256: str


class DiagnosticsUploads:
    """Every method may be called on any thread and in any process that reaches database and folder."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        *,
        folder: Path,
        public_url: str,
        kept: timedelta = timedelta(days=14),
    ) -> None:
        self._database = database
        self._clock = clock
        self._folder = folder
        self._public_url = public_url.rstrip("/")
        self._kept_for = kept
        self._forget_at: datetime | None = None

    def make(self, unit: str, command_id: str | None = None) -> str:
        """A new address that takes one bundle of this unit. Raises Refused for a unit that is not known."""
        token, now = secrets.token_urlsafe(32), self._clock()
        with self._database.write() as db:
            if db.get(Unit, unit) is None:
                raise Refused("unit", "is not known")
            db.add(
                DiagnosticsUpload(
                    token_digest=_digest(token),
                    unit_id=unit,
                    command_id=command_id,
                    made_at=now,
                    expires_at=now + OPEN_FOR,
                )
            )
        return f"{self._public_url}/diagnostics/{token}"

    def put(self, token: str, body: IO[bytes], length: int, sha256: bytes | None) -> None:
        """Keep what a unit sends. Raises UploadRefused with the answer's status.

        The same bundle sent again is answered as it was the first time, since the first answer may be lost.
        """
        if length > MAX_BYTES:
            raise UploadRefused(413)
        upload = self._open(token)
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=self._folder, prefix="coming-")  # made with mode 0600
        file = Path(name)
        try:
            with os.fdopen(handle, "wb") as out:
                got, found = _copy(body, out, length)
                os.fsync(out.fileno())
            if got != length or (sha256 is not None and found != sha256):
                raise UploadRefused(400)
            self._keep(upload, file, got, found.hex())
        finally:
            file.unlink(missing_ok=True)

    def of_command(self, command_id: str) -> Kept | None:
        """The bundle that a command has brought."""
        with self._database.read() as db:
            row = db.scalar(select(DiagnosticsUpload).where(DiagnosticsUpload.command_id == command_id))
            return _kept(row) if row is not None and row.came_at is not None else None

    def of_unit(self, unit: str) -> list[Kept]:
        """All that are kept of a unit, newest first."""
        query = select(DiagnosticsUpload).where(
            DiagnosticsUpload.unit_id == unit, DiagnosticsUpload.came_at.is_not(None)
        )
        with self._database.read() as db:
            return [_kept(row) for row in db.scalars(query.order_by(DiagnosticsUpload.came_at.desc()))]

    def read(self, upload_id: int, by: str) -> tuple[Kept, bytes]:
        """A bundle, for one of IT; who took it stands in the audit log. Raises Refused."""
        with self._database.write() as db:
            row = db.get(DiagnosticsUpload, upload_id)
            if row is None or row.came_at is None:
                raise Refused("diagnostics", "are not here, or no longer")
            try:
                data = self._file(upload_id).read_bytes()
            except OSError:
                raise Refused(
                    "diagnostics", "are kept by another machine of the region, or deleted"
                ) from None
            if hashlib.sha256(data).hexdigest() != row.sha256:
                raise Refused("diagnostics", "have changed since they came: the file is damaged")
            fields = {"bytes": row.bytes, "sha256": row.sha256}
            audit.note(db, self._clock(), by=by, action="diagnostics_read", target=row.unit_id, fields=fields)
            return _kept(row), data

    def tick(self) -> None:
        """Delete what is too old: rows, and files whose row is gone."""
        now = self._clock()
        if self._forget_at is not None and now < self._forget_at:
            return
        self._forget_at = now + FORGET_EVERY
        with self._database.write() as db:
            for row in db.scalars(select(DiagnosticsUpload)):
                since = row.came_at or row.expires_at
                if since < now - self._kept_for:
                    db.delete(row)
            db.flush()
            known = {self._file(each).name for each in db.scalars(select(DiagnosticsUpload.id))}
        for file in self._folder.glob("*") if self._folder.is_dir() else ():
            is_coming = file.name.startswith("coming-")
            if not is_coming and file.name not in known:
                file.unlink(missing_ok=True)
            elif is_coming:
                with suppress(OSError):
                    if now.timestamp() - file.stat().st_mtime > FORGET_EVERY.total_seconds():
                        file.unlink(missing_ok=True)  # its process died

    def _open(self, token: str) -> int:
        with self._database.read() as db:
            row = db.scalar(select(DiagnosticsUpload).where(DiagnosticsUpload.token_digest == _digest(token)))
            if row is None:
                raise UploadRefused(404)
            if row.expires_at < self._clock():
                raise UploadRefused(410)
            return row.id

    def _keep(self, upload_id: int, file: Path, length: int, sha256: str) -> None:
        with self._database.write() as db:
            row = db.get(DiagnosticsUpload, upload_id, with_for_update=True)
            if row is None:
                raise UploadRefused(404)
            if row.came_at is not None:
                if row.sha256 != sha256:
                    raise UploadRefused(409)
                return
            row.came_at, row.bytes, row.sha256 = self._clock(), length, sha256
            file.rename(self._file(upload_id))
            fields = {"bytes": length, "sha256": sha256}
            audit.note(
                db,
                self._clock(),
                by=audit.REGION,
                action="diagnostics_came",
                target=row.unit_id,
                fields=fields,
            )
            log.info("diagnostics of unit %s came, %d bytes", row.unit_id, length)

    def _file(self, upload_id: int) -> Path:
        return self._folder / f"{upload_id}.tar.gz"


def _copy(body: IO[bytes], out: IO[bytes], length: int) -> tuple[int, bytes]:
    digest, got = hashlib.sha256(), 0
    while got < length and (block := body.read(min(BLOCK_BYTES, length - got))):
        digest.update(block)
        out.write(block)
        got += len(block)
    return got, digest.digest()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _kept(row: DiagnosticsUpload) -> Kept:
    assert row.came_at is not None
    return Kept(row.id, row.unit_id, row.came_at, row.bytes, row.sha256)
