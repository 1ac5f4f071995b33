"""The fleet's parts of the region's service, joined to its worker. Wiring only.

| part | hears | does |
|---|---|---|
| Revocations | everything, before all others | leaves a revoked unit unheard, and says `revoked` for it |
| BrokerAccess | outbox `access`, ticks | the broker's access rules and SIGHUP |
| EnrolmentDesk | up/enrol, up/info, outbox `enrolment` | who may come in; signs; closes the bootstrap's door |
| Renewals | up/renewal | a working unit's next certificate |
| CommandWire | `up/cmd` | publishes commands, follows, expires and clears them |
| FleetServices | nothing: web threads call it | what IT's pages may do |
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from agent.contract.unit_config import BrokerAddress
from provisioning.broker_access import BrokerAccess
from provisioning.command_wire import CommandWire
from provisioning.commands import WHAT as COMMAND
from provisioning.commands import Commands
from provisioning.database import Database
from provisioning.enrolment_desk import EnrolmentDesk
from provisioning.enrolment_settings import EnrolmentSettings
from provisioning.enrolments import Enrolments
from provisioning.fleet_services import FleetServices
from provisioning.hooks import Hooks
from provisioning.renewals import Renewals
from provisioning.revocations import Revocations
from provisioning.schedules import Publish
from provisioning.settings import BrokerSettings, RegionSettings
from provisioning.signing import Signer


@dataclass(frozen=True, slots=True)
class FleetParts:
    """What the pages and the command line use of them."""

    enrolments: Enrolments
    services: FleetServices


def join_fleet(
    hooks: Hooks,
    settings: RegionSettings,
    database: Database,
    publish: Publish,
    clock: Callable[[], datetime],
) -> FleetParts:
    """Make the parts and hook them to the worker."""
    access = BrokerAccess(database, settings.broker)
    revocations = Revocations(database, publish, clock)
    hooks.turns_away = revocations.turns_away

    def access_changed(unit: str) -> None:
        revocations.look()
        access.apply()
        revocations.say(unit)

    hooks.on_outbox("access", access_changed)
    hooks.connected.append(access.apply)
    if settings.enrolment is not None:
        enrolment = settings.enrolment
        signer = Signer(
            enrolment.authority_dir,
            enrolment.bootstrap_dir,
            life=enrolment.life,
            bootstrap_life=enrolment.bootstrap_life,
        )
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
    enrolments = Enrolments(database, clock)
    return FleetParts(
        enrolments=enrolments,
        services=FleetServices(database, clock, enrolments, Commands(database, clock)),
    )


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
