"""A place for a bundle: one unit, once, for a while; read by IT with an entry in the audit log."""

from __future__ import annotations

import hashlib
import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from provisioning import audit
from provisioning.database import Database
from provisioning.diagnostics import MAX_BYTES, OPEN_FOR, DiagnosticsUploads
from provisioning.fleet_models import DiagnosticsUpload
from web.clinic.services import Refused
from web.clinic.uploads import UploadRefused

DATA = b"bundle"
SHA256 = hashlib.sha256(DATA)


@pytest.fixture
def uploads(database: Database, clock: Any, rooms: Any, tmp_path: Path) -> DiagnosticsUploads:
    return DiagnosticsUploads(
        database, clock, folder=tmp_path / "diagnostics", public_url="https://region.example/"
    )


def token_of(url: str) -> str:
    assert url.startswith("https://region.example/diagnostics/")
    return url.rsplit("/", 1)[1]


def put(uploads: DiagnosticsUploads, token: str, data: bytes = DATA, **said: Any) -> int:
    """The status that the unit would see."""
    try:
        uploads.put(token, io.BytesIO(data), said.get("length", len(data)), said.get("sha256"))
    except UploadRefused as refused:
        return refused.status
    return 204


def test_a_bundle_comes_once_and_the_same_again_is_no_fault(
    uploads: DiagnosticsUploads, database: Database, tmp_path: Path
) -> None:
    token = token_of(uploads.make("unit-1", "command-1"))
    assert uploads.of_command("command-1") is None
    assert put(uploads, token, sha256=SHA256.digest()) == 204
    assert put(uploads, token) == 204
    assert put(uploads, token, b"another") == 409
    kept = uploads.of_command("command-1")
    assert kept is not None
    assert (kept.unit, kept.bytes, kept.sha256) == ("unit-1", 6, SHA256.hexdigest())
    assert uploads.of_unit("unit-1") == [kept]
    (file,) = (tmp_path / "diagnostics").iterdir()
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (DATA, 0o600)
    with database.read() as db:
        assert token not in str([vars(row) for row in db.query(DiagnosticsUpload)])


def test_what_is_no_such_bundle_is_refused_and_leaves_nothing(
    uploads: DiagnosticsUploads, clock: Any, tmp_path: Path
) -> None:
    token = token_of(uploads.make("unit-1"))
    assert put(uploads, "another-token") == 404
    assert put(uploads, token, sha256=b"0" * 32) == 400
    assert put(uploads, token, length=len(DATA) + 1) == 400
    assert put(uploads, token, length=MAX_BYTES + 1) == 413
    clock.pass_by(seconds=OPEN_FOR.total_seconds() + 1)
    assert put(uploads, token) == 410
    folder = tmp_path / "diagnostics"
    assert list(folder.iterdir()) == []
    with pytest.raises(Refused):
        uploads.make("unit-77")


def test_reading_stands_in_the_audit_log_and_a_damaged_file_is_said(
    uploads: DiagnosticsUploads, database: Database, tmp_path: Path
) -> None:
    put(uploads, token_of(uploads.make("unit-1")))
    (kept,) = uploads.of_unit("unit-1")
    assert uploads.read(kept.id, "acc-it") == (kept, DATA)
    with database.read() as db:
        noted = [(row.by, row.action, row.target) for row in audit.entries(db)]
    assert noted[-2:] == [("region", "diagnostics_came", "unit-1"), ("acc-it", "diagnostics_read", "unit-1")]
    (tmp_path / "diagnostics" / f"{kept.id}.tar.gz").write_bytes(b"other")
    with pytest.raises(Refused, match="damaged"):
        uploads.read(kept.id, "acc-it")
    with pytest.raises(Refused, match="not here"):
        uploads.read(kept.id + 1, "acc-it")


def test_what_is_too_old_goes_and_so_do_files_that_nobody_knows(
    uploads: DiagnosticsUploads, clock: Any, tmp_path: Path
) -> None:
    put(uploads, token_of(uploads.make("unit-1")))
    (tmp_path / "diagnostics" / "99.tar.gz").write_bytes(b"left")
    uploads.tick()
    assert len(list((tmp_path / "diagnostics").iterdir())) == 1
    clock.now += timedelta(days=14, minutes=1)
    uploads.tick()
    assert list((tmp_path / "diagnostics").iterdir()) == []
    assert uploads.of_unit("unit-1") == []
