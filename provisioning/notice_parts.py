"""Notices' parts of the region's service, joined to its worker. Wiring only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from provisioning.database import Database
from provisioning.hooks import Hooks
from provisioning.notice_channels import Channel, Mail, Webhook
from provisioning.notice_sender import NoticeSender
from provisioning.notice_text import Frame
from provisioning.notices import NoticeWatch
from provisioning.settings import RegionSettings


@dataclass(frozen=True, slots=True)
class NoticeParts:
    """The threads that send."""

    senders: tuple[NoticeSender, ...]

    def start(self) -> None:
        """Begin to send; what waited over a restart goes first."""
        for sender in self.senders:
            sender.start()

    def stop(self) -> None:
        """Send nothing more."""
        for sender in self.senders:
            sender.stop()

    def wake(self) -> None:
        """There is something to send."""
        for sender in self.senders:
            sender.wake()


def channels(settings: RegionSettings, clock: Callable[[], datetime]) -> Mapping[str, Channel]:
    """Both ways to a recipient, by name."""
    frame = Frame(settings.zone, settings.web.public_url)
    return {
        "email": Mail(settings.smtp, frame, clock),
        "webhook": Webhook(settings.webhook, frame, clock),
    }


def join_notices(
    hooks: Hooks,
    settings: RegionSettings,
    database: Database,
    clock: Callable[[], datetime],
    *,
    leads: Callable[[], bool],
    up: Callable[[], bool],
) -> NoticeParts:
    """Make the parts and hook what decides to the worker. leads: whether this instance is the one that acts; up:
    whether the broker is connected."""
    parts = NoticeParts(
        tuple(
            NoticeSender(name, channel, database, clock, leads)
            for name, channel in channels(settings, clock).items()
        )
    )
    hooks.ticks.append(NoticeWatch(database, clock, settings.zone, made=parts.wake, up=up).tick)
    return parts
