"""Brings a unit in: does what the table in `enrolment` says, with disk and broker. Used on the event loop.

One link at a time, since the broker would take two of one name for rivals: to the bootstrap listener under the
serial number, or to the broker under the name that the region gave.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from pydantic import BaseModel

from agent.contract import ContractError, Message, Topic, bootstrap_down_filter, decode, down_filter, encode
from agent.contract.enrolment import EnrolReply, EnrolRequest
from agent.contract.status import Info, Status
from agent.enrolment import (
    Acknowledged,
    Ask,
    AskedAgain,
    Connected,
    Effect,
    Event,
    Gone,
    Keep,
    Knock,
    NewKey,
    NotStored,
    Promote,
    Prove,
    Replied,
    State,
    Stored,
    Tick,
    begin,
    step,
)
from agent.identity_store import Held, IdentityError, IdentityStore, Request
from agent.identity_way import Why
from agent.link import LinkProblem, LinkSettings, Will
from agent.region_clock import RegionClock
from agent.stopping import stop_on_thread

log = logging.getLogger(__name__)

PAUSE_LEAST, PAUSE_MOST = timedelta(seconds=10), timedelta(hours=1)
"""Whatever the region says of when to ask again: it can be asked neither all the time nor never."""
BACKOFF_MOST_S = 15.0
"""Somebody stands before the screen and plugs cables."""


class AnyLink(Protocol):
    """What a link must be able to."""

    @property
    def up(self) -> bool: ...
    @property
    def problem(self) -> LinkProblem: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def publish(self, topic: Topic, payload: bytes) -> bool: ...


class MakeLink(Protocol):
    """Makes a link whose callbacks come on the event loop."""

    def __call__(
        self,
        settings: LinkSettings,
        *,
        on_message: Callable[[str, bytes], None],
        on_connection: Callable[[bool], None],
        will: Will | None,
    ) -> AnyLink: ...


@dataclass(frozen=True, slots=True)
class Applicant:
    """What the unit says of itself on its way in."""

    software: str
    board: str
    boot: int
    why: Why = "new"
    was: str | None = None


@dataclass(slots=True)
class _Line:
    """The link of the moment; one that was replaced is not listened to."""

    link: AnyLink
    started: bool = False
    ended: bool = field(default=False)


class Enroller:
    """From a bootstrap identity to one to work under. `on_change` is told of each new state, the last is PROVEN.

    `request` is what IT compares: its key's words.
    """

    def __init__(
        self,
        store: IdentityStore,
        clock: RegionClock,
        applicant: Applicant,
        make_link: MakeLink,
        *,
        on_change: Callable[[], None],
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._clock = clock
        self._applicant = applicant
        self._make_link = make_link
        self._on_change = on_change
        self._monotonic_s = monotonic_s
        self._line: _Line | None = None
        self._newest: datetime | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._one_at_a_time = asyncio.Lock()
        with suppress(OSError):
            store.tidy()
        self._bootstrap = _or_none(store.bootstrap)
        self._new = _or_none(store.new)
        self.request: Request = store.request()
        self.enrolment, self._first = begin(
            self._now(), has_bootstrap=self._bootstrap is not None, has_new=self._new is not None
        )

    @property
    def serial(self) -> str:
        """The number on the box; empty for one that was not prepared."""
        return self._bootstrap.identity.unit if self._bootstrap is not None else ""

    @property
    def is_in(self) -> bool:
        """Whether the identity that was asked for has proven itself and is in force."""
        return self.enrolment.state == State.PROVEN

    def start(self) -> None:
        """Begin."""
        self._do(self._first)

    def tick(self) -> None:
        """Once a second."""
        line = self._line
        if line is not None and not line.link.up and line.link.problem:
            self._event(Gone(line.link.problem))
        self._event(Tick())

    def ask_again(self) -> None:
        """Somebody at the screen wants it tried again."""
        self._event(AskedAgain())

    async def stop(self) -> None:
        """Leave the broker."""
        line, self._line = self._line, None
        await self._end(line)
        for task in tuple(self._tasks):
            await task

    def _now(self) -> datetime:
        """Steady: a clock that is put right must end no pause and begin none."""
        return datetime.fromtimestamp(self._monotonic_s(), UTC)

    def _event(self, event: Event) -> None:
        before = self.enrolment
        self.enrolment, effects = step(before, event, self._now())
        if self.enrolment.state != before.state:
            log.info("enrolment: %s", self.enrolment.state)
        self._do(effects)
        if self.enrolment != before:
            self._on_change()

    def _do(self, effects: tuple[Effect, ...]) -> None:
        for effect in effects:
            match effect:
                case Knock():
                    self._knock()
                case Ask():
                    self._ask()
                case NewKey():
                    self._new_key()
                case Keep(reply):
                    self._keep(reply)
                case Prove():
                    self._prove()
                case Promote():
                    self._promote()

    def _knock(self) -> None:
        held = self._bootstrap
        if held is None:
            self._switch(None)
            return
        self._newest = None
        settings = settings_of(held, (bootstrap_down_filter(held.identity.unit),))
        self._switch(settings, self._at_the_door, lambda up: self._event(Connected() if up else Gone()))

    def _ask(self) -> None:
        a = self._applicant
        request = EnrolRequest(csr=self.request.pem, why=a.why, was=a.was, software=a.software, board=a.board)
        self._publish(Topic(self.serial, "up/enrol"), request)

    def _new_key(self) -> None:
        try:
            self._store.forget_request()
            self.request = self._store.request()
        except OSError as error:
            log.warning("enrolment: no new key can be written (%s); asking with the old one", error.strerror)

    def _at_the_door(self, topic: str, payload: bytes) -> None:
        message = self._decoded(topic, payload)
        if message is None or message.topic != Topic(self.serial, "dn/enrol"):
            return
        reply: EnrolReply = message.data
        if reply.request != self.request.sha256:
            log.info("enrolment: an answer to another request is left alone")
            return
        if self._newest is not None and message.ts < self._newest:
            return  # said before what we know already
        self._newest = message.ts
        pause = (reply.ask_again_at or message.ts) - message.ts
        self._event(Replied(reply, min(max(pause, PAUSE_LEAST), PAUSE_MOST)))

    def _keep(self, reply: EnrolReply) -> None:
        if reply.unit is None or reply.certificate is None or reply.ca is None or reply.broker is None:
            self._event(NotStored("the region's answer lacks name, certificate, authority or broker"))
            return
        try:
            self._new = self._store.take(reply.unit, reply.certificate, reply.ca, reply.broker)
        except IdentityError as error:
            self._event(NotStored(str(error)))
        except OSError as error:
            self._event(NotStored(f"the certificate cannot be written: {error.strerror}"))
        else:
            self._event(Stored())

    def _prove(self) -> None:
        held = self._new
        assert held is not None
        unit = held.identity.unit
        lost = encode(Status(state="lost", boot=self._applicant.boot), now=self._clock.now())
        self._switch(
            settings_of(held, (down_filter(unit),), self._bootstrap),
            self._under_new_name,
            lambda up: self._show(held) if up else None,
            Will(Topic(unit, "up/status"), lost),
        )

    def _show(self, held: Held) -> None:
        applicant, unit = self._applicant, held.identity.unit
        self._publish(Topic(unit, "up/status"), Status(state="starting", boot=applicant.boot))
        info = Info(
            software=applicant.software,
            board=applicant.board,
            certificate_sha256=held.identity.certificate_sha256,
            certificate_not_after=held.identity.not_after,
            serial=self.serial,
            bootstrap_sha256=self._bootstrap.identity.certificate_sha256 if self._bootstrap else None,
        )
        self._publish(Topic(unit, "up/info"), info)

    def _under_new_name(self, topic: str, payload: bytes) -> None:
        message = self._decoded(topic, payload)
        if message is None or self._new is None or message.topic.unit != self._new.identity.unit:
            return
        if message.topic.channel == "dn/ack":
            self._clock.learn(message.ts, fresh=True)
            self._event(Acknowledged())

    def _promote(self) -> None:
        try:
            self._store.promote()
        except OSError as error:
            self._event(NotStored(f"the certificate cannot be put into use: {error.strerror}"))

    def _decoded(self, topic: str, payload: bytes) -> Message | None:
        if not payload:
            return None  # the region has cleared what it had said
        try:
            return decode(topic, payload)
        except ContractError as error:
            log.warning("message refused: %s: %s", error.field, error.reason)
            return None

    def _publish(self, topic: Topic, body: BaseModel) -> None:
        if self._line is not None:
            self._line.link.publish(topic, encode(body, now=self._clock.now()))

    def _switch(
        self,
        settings: LinkSettings | None,
        on_message: Callable[[str, bytes], None] | None = None,
        on_connection: Callable[[bool], None] | None = None,
        will: Will | None = None,
    ) -> None:
        """Leave the link of the moment, then connect by other settings."""
        old, self._line = self._line, None
        line: _Line | None = None
        if settings is not None and on_message is not None and on_connection is not None:
            heard, told = on_message, on_connection
            try:
                link = self._make_link(
                    settings,
                    on_message=lambda topic, body: heard(topic, body) if line is self._line else None,
                    on_connection=lambda up: told(up) if line is self._line else None,
                    will=will,
                )
            except OSError as error:
                log.warning(
                    "enrolment: an identity cannot be used: %s", error.strerror or type(error).__name__
                )
            else:
                line = self._line = _Line(link)
        task = asyncio.get_running_loop().create_task(self._change(old, line), name="enrolment's link")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _change(self, old: _Line | None, new: _Line | None) -> None:
        async with self._one_at_a_time:
            await self._end(old)
            if new is not None and not new.ended:
                new.started = True
                new.link.start()

    async def _end(self, line: _Line | None) -> None:
        if line is None or line.ended:
            return
        line.ended = True
        if line.started:
            await stop_on_thread("link", line.link.stop)


def settings_of(held: Held, filters: tuple[str, ...], otherwise: Held | None = None) -> LinkSettings:
    """Where an identity's broker is, and who we are there; `otherwise` says where, for one that does not."""
    broker = held.broker or (otherwise.broker if otherwise is not None else None)
    assert broker is not None
    return LinkSettings(
        host=broker.host,
        port=broker.port,
        client_id=held.identity.unit,
        ca_file=held.ca_file,
        certificate_file=held.certificate_file,
        key_file=held.key_file,
        filters=filters,
        backoff_max_s=BACKOFF_MOST_S,
        leave_when_denied=True,
        transport=broker.transport,
        path=broker.path,
    )


def _or_none(read: Callable[[], Held | None]) -> Held | None:
    """What cannot be used is as good as not there; the log says so."""
    try:
        return read()
    except IdentityError as error:
        log.error("%s", error)  # noqa: TRY400 - its text is all there is to know
        return None
