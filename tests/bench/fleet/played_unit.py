"""A unit as the region sees it, without the room: what it says when it connects, and what it answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from pydantic import BaseModel

from agent.contract import CHANNELS, Topic, decode, encode
from agent.contract.events import Ack
from agent.contract.schedule import ScheduleReport
from agent.contract.status import Info, Status
from agent.contract.unit_config import ConfigReport
from agent.schedule import Snapshot, accept

Send = Callable[[str, bytes, bool, int | None], None]
"""topic, payload, retained, expiry in seconds."""
NEVER = (-1, -1)


@dataclass(slots=True)
class Seen:
    """What the unit has had on its present connection, by CLOCK_MONOTONIC, which all processes share."""

    connected_at: float | None = None
    acked_at: float | None = None
    """The region has heard that it is back."""
    served: tuple[int, int] = NEVER
    served_at: float | None = None
    """When a schedule of revision `served` first came; each connection must bring it anew."""


@dataclass(slots=True)
class PlayedUnit:
    """Speaks by the contract's own encoders and keeps the schedule by the unit's own rule."""

    name: str
    certificate_sha256: str
    boot: int = 1
    seen: Seen = field(default_factory=Seen)
    _snapshot: Snapshot = field(default_factory=Snapshot)
    _report: ScheduleReport | None = None
    _config: tuple[int, int] | None = None

    @property
    def will(self) -> tuple[str, bytes]:
        """What the broker says when it is lost."""
        status = Status(state="lost", boot=self.boot)
        return str(Topic(self.name, "up/status")), encode(status, now=_now())

    def connected(self, send: Send) -> None:
        """Say what a unit says on every connect (agent.wire.Wire.connection)."""
        self.seen = Seen(connected_at=time.monotonic())
        self._say(send, "up/status", Status(state="ready", boot=self.boot))
        self._say(send, "up/info", self._info())
        if self._report is not None:
            self._say(send, "up/schedule", self._report)
        self._report_config(send)

    def heard(self, send: Send, topic: str, payload: bytes) -> None:
        """A message came down."""
        if not payload:
            return
        message = decode(topic, payload)
        if message.topic.channel == "dn/schedule":
            self._served((message.data.epoch, message.rev or 0))
            snapshot, report = accept(self._snapshot, message.data, message.rev, payload)
            if report is not None:
                # Two thousand units in a few processes: what the sessions say is checked, but not kept.
                self._snapshot, self._report = replace(snapshot, sessions=()), report
                self._say(send, "up/schedule", report)
        elif message.topic.channel == "dn/config":
            wanted = (message.data.epoch, message.rev or 0)
            if self._config is None or wanted > self._config:
                self._config = wanted
                self._report_config(send)
        elif isinstance(message.data, Ack) and self.seen.acked_at is None:
            self.seen.acked_at = time.monotonic()

    def _served(self, revision: tuple[int, int]) -> None:
        if revision != self.seen.served:
            self.seen.served, self.seen.served_at = revision, time.monotonic()

    def _report_config(self, send: Send) -> None:
        if self._config is not None:
            epoch, rev = self._config
            self._say(send, "up/config", ConfigReport(applied=True, epoch=epoch, state="applied"), rev)

    def _info(self) -> Info:
        return Info(
            software="0.4.0",
            board="sim",
            encoder="libx264",
            certificate_sha256=self.certificate_sha256,
            certificate_not_after=_now() + timedelta(days=300),
            abilities=("video", "dropin"),
        )

    def _say(self, send: Send, channel: str, body: BaseModel, rev: int | None = None) -> None:
        row = CHANNELS[channel]
        send(str(Topic(self.name, channel)), encode(body, now=_now(), rev=rev), row.retained, row.expiry_s)


def _now() -> datetime:
    return datetime.now(UTC)
