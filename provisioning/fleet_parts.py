"""The fleet's parts of the region's service, joined to its worker. Wiring only.

| part | hears | does |
|---|---|---|
| Revocations | everything, before all others | leaves a revoked unit unheard, and says `revoked` for it |
| BrokerAccess | outbox `access`, ticks | the broker's access rules and SIGHUP |
| EnrolmentDesk | up/enrol, up/info, outbox `enrolment` | who may come in; signs; closes the bootstrap's door |
| Renewals | up/renewal | a working unit's next certificate |
| CommandWire | `up/cmd` | publishes commands, follows, expires and clears them |
| FleetTelemetry | `up/event/telemetry` | keeps each unit's last figures |
| DiagnosticsUploads | | deletes bundles that are too old |
| RolloutWorker | ticks | takes the steps of staged rollouts |
| Forgetting | ticks | deletes units' history when it is too old |
| FleetServices | nothing: web threads call it | what IT's pages may do |
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.contract.unit_config import BrokerAddress
from provisioning.broker_access import BrokerAccess
from provisioning.command_wire import CommandWire
from provisioning.commands import WHAT as COMMAND
from provisioning.commands import Commands
from provisioning.database import Database
from provisioning.diagnostics import DiagnosticsUploads
from provisioning.enrolment_desk import EnrolmentDesk
from provisioning.enrolment_settings import EnrolmentSettings
from provisioning.enrolments import Enrolments
from provisioning.fleet_services import FleetServices
from provisioning.hooks import Hooks
from provisioning.renewals import Renewals
from provisioning.revocations import Revocations
from provisioning.rollout_worker import RolloutWorker
from provisioning.schedules import Publish
from provisioning.settings import BrokerSettings, RegionSettings
from provisioning.signing import Signer
from provisioning.telemetry import FleetTelemetry
from provisioning.unit_history import Forgetting


@dataclass(frozen=True, slots=True)
class FleetParts:
    """What the pages and the command line use of them."""

    enrolments: Enrolments
    uploads: DiagnosticsUploads
    services: FleetServices


def join_fleet(
    hooks: Hooks,
    settings: RegionSettings,
    database: Database,
    publish: Publish,
    clock: Callable[[], datetime],
    *,
    up: Callable[[], bool] = lambda: True,
) -> FleetParts:
    """Make the parts and hook them to the worker. up: whether the broker is there."""
    access = BrokerAccess(database, settings.broker)
    revocations = Revocations(database, publish, clock)
    hooks.turns_away = revocations.turns_away

    def access_changed(unit: str) -> None:
        revocations.look()
        access.apply()
        revocations.say(unit)

    hooks.on_outbox("access", access_changed)
    hooks.connected.append(access.apply)
    hooks.ticks.append(access.tick)
    if settings.enrolment is not None:
        enrolment = settings.enrolment
        signer = Signer.of(enrolment)
        desk = EnrolmentDesk(
            database,
            publish,
            clock,
            settings=enrolment,
            signer=signer,
            broker=_address(enrolment, settings.broker),
            access=access,
        )
        _join_desk(hooks, desk)
        hooks.on_message("up/renewal", Renewals(database, publish, clock, signer).asked)
    _join_commands(hooks, CommandWire(database, publish, clock))
    uploads = _join_figures(hooks, settings, database, clock)
    hooks.ticks.extend((RolloutWorker(database, clock, up).tick, Forgetting(database, clock).tick))
    enrolments = Enrolments(database, clock)
    services = FleetServices(database, clock, enrolments, Commands(database, clock, uploads.make))
    return FleetParts(enrolments=enrolments, uploads=uploads, services=services)


def _join_desk(hooks: Hooks, desk: EnrolmentDesk) -> None:
    hooks.on_message("up/enrol", desk.asked)
    hooks.on_message("up/info", desk.shown)
    hooks.on_outbox("enrolment", desk.decided)
    hooks.ticks.append(desk.tick)
    hooks.connected.append(desk.connected)


def _address(settings: EnrolmentSettings, broker: BrokerSettings) -> BrokerAddress:
    return BrokerAddress(
        host=settings.broker_host or broker.host,
        port=settings.broker_port or broker.port,
        transport=settings.broker_transport,
    )


def _join_commands(hooks: Hooks, commands: CommandWire) -> None:
    hooks.on_outbox(COMMAND, commands.publish)
    hooks.on_message("up/cmd", commands.heard)
    hooks.connected.append(commands.connected)
    hooks.ticks.append(commands.tick)


def _join_figures(
    hooks: Hooks, settings: RegionSettings, database: Database, clock: Callable[[], datetime]
) -> DiagnosticsUploads:
    telemetry = FleetTelemetry(database, clock)
    hooks.on_message("up/event/telemetry", telemetry.take)
    uploads = DiagnosticsUploads(
        database,
        clock,
        folder=settings.diagnostics_dir,
        public_url=settings.units_url,
        kept=timedelta(days=settings.diagnostics_days),
    )
    hooks.ticks.extend((telemetry.tick, uploads.tick))
    return uploads
