"""What machines may ask of the region (web.clinic.machines.Machines)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from provisioning.diagnostics import DiagnosticsUploads
from provisioning.metrics import FleetMetrics
from web.clinic.services import Account, NotAllowed


@dataclass(slots=True)
class Neighbours:
    """Every method may be called on any thread."""

    uploads: DiagnosticsUploads
    figures: FleetMetrics
    metrics_token: str | None
    leads: Callable[[], bool] = lambda: True

    def standing(self) -> str:
        """Whether requests are for this instance."""
        return "ok" if self.leads() else "standby"

    def metrics(self) -> bytes:
        """For Prometheus."""
        return self.figures.text()

    def put_diagnostics(self, token: str, body: IO[bytes], length: int, sha256: bytes | None) -> None:
        """Keep a unit's bundle; raises UploadRefused."""
        self.uploads.put(token, body, length, sha256)

    def read_diagnostics(self, account: Account, upload_id: int) -> tuple[str, bytes]:
        """A bundle for IT; raises NotAllowed, Refused."""
        if account.role != "it":
            raise NotAllowed("diagnostics are for IT")
        kept, data = self.uploads.read(upload_id, account.id)
        return f"{kept.unit}-{kept.came_at:%Y%m%d-%H%M%S}.tar.gz", data
