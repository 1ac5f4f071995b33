"""How units come in: `[enrolment]` in the region's settings."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class EnrolmentSettings(BaseModel):
    """Without this part of the settings nobody is let in over MQTT, and no certificate is renewed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    authority_dir: Path
    """Folder of the operational authority, `ca.pem` and `ca.key`: it signs units' certificates."""
    bootstrap_dir: Path | None = None
    """Folder of the bootstrap authority, where this region makes bootstrap certificates itself."""
    certificate_days: float = Field(default=365, gt=0, le=3650)
    bootstrap_days: float = Field(default=3650, gt=0, le=7300)
    waiting_hours: float = Field(default=72, gt=0, le=24 * 90)
    """A request that nobody decides in that time expires."""
    pause_minutes: float = Field(default=10, ge=0, le=24 * 60)
    """How long after a rejection, or after it expired, a request may come again."""
    per_serial: int = Field(default=5, ge=1, le=50)
    in_all: int = Field(default=5000, ge=10)
    """Requests that are kept undecided."""
    broker_host: str | None = None
    """Where units find the broker, if not where the region itself does."""
    broker_port: int | None = Field(default=None, ge=1, le=65535)
    bootstrap_port: int = Field(default=8884, ge=1, le=65535)
    """Of the broker's listener for those that want to enrol."""
    broker_transport: Literal["tls", "alpn", "websocket"] = "tls"

    @property
    def life(self) -> timedelta:
        """Of a unit's certificate."""
        return timedelta(days=self.certificate_days)

    @property
    def bootstrap_life(self) -> timedelta:
        """Of a bootstrap certificate."""
        return timedelta(days=self.bootstrap_days)

    @property
    def waiting(self) -> timedelta:
        """Until a request expires."""
        return timedelta(hours=self.waiting_hours)

    @property
    def pause(self) -> timedelta:
        """After a rejection."""
        return timedelta(minutes=self.pause_minutes)
