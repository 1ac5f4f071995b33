"""The next certificate, asked for in good time and put into use only after it has proven itself.

The old one works until then, and goes on working if the new one does not. Used on the event loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal, Protocol

from agent.contract import Message, Topic
from agent.contract.enrolment import CertificateReply, CertificateRequest
from agent.identity import Identity
from agent.identity_store import Asking, Held, IdentityError, IdentityStore, Request
from agent.link import LinkSettings

log = logging.getLogger(__name__)

SHARE_OF_LIFE = 2 / 3
SPREAD_OF_LIFE = 0.1
"""Units that were let in on one day ask on different days."""
ASK_EVERY_S = 10.0
ANSWER_WITHIN_S = 60.0
FREE_WITHIN_S = 600.0
PROOF_WITHIN_S = 30.0
"""The broker answered a moment ago, under the old certificate."""
POLL_S = 0.2
PAUSE_FIRST, PAUSE_MOST = timedelta(minutes=10), timedelta(hours=12)


class RenewalError(RuntimeError):
    """No new certificate is in force; the text says why, and the old one is as it was."""


class SaysAndHears(Protocol):
    """What is used of agent.wire.Wire."""

    @property
    def up(self) -> bool: ...
    def send(self, topic: Topic, body: CertificateRequest) -> bool: ...
    def on(self, channel: str, heard: Callable[[Message, bytes], None]) -> None: ...
    def on_connection(self, told: Callable[[bool], None]) -> None: ...
    def after_ack(self, told: Callable[[], None]) -> None: ...
    def info_changed(self) -> None: ...


class Line(Protocol):
    """What is used of agent.broker_link.BrokerLink."""

    settings: LinkSettings

    def use(self, settings: LinkSettings, *, anew: bool = False) -> None: ...


def renew_at(not_before: datetime, not_after: datetime, certificate_sha256: str) -> datetime:
    """When to ask for the next: at two thirds of its life, a twentieth of it sooner or later.

    By which share is the certificate's own, so that a restart neither hurries nor delays it.
    """
    share = int(certificate_sha256[:8], 16) / 0xFFFFFFFF
    return not_before + (not_after - not_before) * (SHARE_OF_LIFE + SPREAD_OF_LIFE * (share - 0.5))


def pause_after(failures: int, left: timedelta) -> timedelta:
    """Until it is tried again; ever longer, but several times before the old certificate ends."""
    grown: timedelta = min(PAUSE_FIRST * (1 << min(failures - 1, 10)), PAUSE_MOST)
    return max(PAUSE_FIRST, min(grown, left / 4))


class Renewal:
    """`busy()` says why the room must not be disturbed, or nothing; `now()` is the region's time."""

    def __init__(
        self,
        store: IdentityStore,
        identity: Identity,
        wire: SaysAndHears,
        line: Line,
        *,
        busy: Callable[[], str],
        now: Callable[[], datetime | None],
        monotonic_s: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._identity = identity
        self._wire = wire
        self._line = line
        self._first = line.settings
        self._busy = busy
        self._now = now
        self._monotonic_s = monotonic_s
        self._sleep = sleep
        self._lock = asyncio.Lock()
        self._awaited: dict[str, CertificateReply | None] = {}
        self._connected = self._acknowledged = False
        self._task: asyncio.Task[None] | None = None
        self._failures = 0
        self._not_before_s = float("-inf")
        wire.on("dn/renewal", self._heard)
        wire.on_connection(self._on_connection)
        wire.after_ack(self._on_ack)

    def tick(self) -> None:
        """Once a second: whether it is time, and the room free."""
        now = self._now()
        if now is None or not self._wire.up or self._busy() or self._monotonic_s() < self._not_before_s:
            return
        own = self._identity
        is_due = now >= renew_at(own.not_before, own.not_after, own.certificate_sha256)
        if is_due and now < own.not_after and (self._task is None or self._task.done()):
            self._task = asyncio.get_running_loop().create_task(self._by_itself(), name="renewal")

    def stop(self) -> None:
        """The agent stops; what was begun goes on at the next start."""
        if self._task is not None:
            self._task.cancel()

    async def renew(self) -> dict[str, str]:
        """A new key and certificate under the same name, proven and in force. Raises RenewalError."""
        async with self._lock:
            reply = await self._answer("renewal")
            held = self._take(reply)
            await self._free()
            try:
                is_proven = await self._proves_itself(held)
            except asyncio.CancelledError:
                self._line.use(self._with_files())  # its time is up: nobody would ever promote what is in use
                raise
            if not is_proven:
                self._fall_back()
                raise RenewalError(
                    "the new certificate did not prove itself in time; the old one is in force"
                )
            try:
                self._store.promote()
            except OSError as error:
                self._fall_back()
                raise RenewalError(
                    f"the new certificate cannot be put into use ({error.strerror}); the old one is in force"
                ) from error
            self._identity.become(held.identity)
            self._line.settings = self._with_files()  # the same files, by their lasting name
            self._wire.info_changed()
            log.info("a new certificate is in force until %s", held.identity.not_after.date())
            return {
                "certificate_sha256": held.identity.certificate_sha256,
                "not_after": held.identity.not_after.isoformat(),
            }

    async def rotate_bootstrap(self) -> dict[str, str]:
        """A new key and certificate to enrol with, in the place of the old. Raises RenewalError.

        It cannot be proven: the region has it disarmed until it is needed.
        """
        async with self._lock:
            reply = await self._answer("bootstrap")
            try:
                self._store.take_bootstrap(reply.certificate or "")
            except IdentityError as error:
                self._forget("bootstrap")
                raise RenewalError(str(error)) from error
            except OSError as error:
                raise RenewalError(f"the bootstrap cannot be written: {error.strerror}") from error
            held = self._store.bootstrap()
            assert held is not None
            self._wire.info_changed()
            return {
                "bootstrap_sha256": held.identity.certificate_sha256,
                "not_after": held.identity.not_after.isoformat(),
            }

    async def _by_itself(self) -> None:
        try:
            await self.renew()
        except RenewalError as error:
            self._failures += 1
            now = self._now()
            left = self._identity.not_after - now if now is not None else PAUSE_FIRST
            pause = pause_after(self._failures, left)
            self._not_before_s = self._monotonic_s() + pause.total_seconds()
            log.warning("no new certificate: %s; again in %d min", error, pause.total_seconds() // 60)
        else:
            self._failures = 0
            now = self._now()
            left = self._identity.not_after - now if now is not None else PAUSE_FIRST
            # A region that backdates, or gives certificates of a short life, is not to be asked all the time.
            self._not_before_s = self._monotonic_s() + max(left / 3, timedelta(0)).total_seconds()

    def _request(self, asking: Asking) -> Request:
        try:
            return self._store.request(asking)
        except OSError as error:
            raise RenewalError(f"no new key can be written: {error.strerror}") from error

    async def _answer(self, asking: Asking) -> CertificateReply:
        request = self._request(asking)
        purpose: Literal["operational", "bootstrap"] = "bootstrap" if asking == "bootstrap" else "operational"
        self._awaited = {request.sha256: None}
        ends_s = self._monotonic_s() + ANSWER_WITHIN_S
        said_s = float("-inf")
        try:
            while (reply := self._awaited[request.sha256]) is None:
                if self._monotonic_s() >= ends_s:
                    raise RenewalError(f"the region has not answered within {ANSWER_WITHIN_S:.0f} s")
                if self._monotonic_s() >= said_s + ASK_EVERY_S:
                    said_s = self._monotonic_s()
                    self._wire.send(
                        Topic(self._identity.unit, "up/renewal"),
                        CertificateRequest(csr=request.pem, purpose=purpose),
                    )
                await self._sleep(POLL_S)
        finally:
            self._awaited = {}
        if reply.state != "issued" or reply.purpose != purpose or reply.certificate is None:
            self._forget(asking)  # another key next time: this one may be why
            raise RenewalError(f"the region refuses: {reply.reason or 'its answer holds no certificate'}")
        return reply

    def _heard(self, message: Message, _payload: bytes) -> None:
        reply: CertificateReply = message.data
        if reply.request in self._awaited:
            self._awaited[reply.request] = reply
        else:
            log.info("an answer to another request is left alone")

    def _take(self, reply: CertificateReply) -> Held:
        try:
            held = self._store.take(self._identity.unit, reply.certificate or "", reply.ca, None, "renewal")
        except IdentityError as error:
            self._forget("renewal")
            raise RenewalError(str(error)) from error
        except OSError as error:
            raise RenewalError(f"the certificate cannot be written: {error.strerror}") from error
        return held

    async def _free(self) -> None:
        """Connecting anew takes a second; never in a session."""
        ends_s = self._monotonic_s() + FREE_WITHIN_S
        while reason := self._busy():
            if self._monotonic_s() >= ends_s:
                raise RenewalError(f"{reason}; the new certificate waits")
            await self._sleep(POLL_S)

    async def _proves_itself(self, held: Held) -> bool:
        self._connected = self._acknowledged = False
        try:
            self._line.use(self._with_files(held), anew=True)
        except OSError:
            return False
        ends_s = self._monotonic_s() + PROOF_WITHIN_S
        while self._is_on(held) and not self._acknowledged and self._monotonic_s() < ends_s:
            await self._sleep(POLL_S)
        return self._acknowledged and self._is_on(held)

    def _is_on(self, held: Held) -> bool:
        """A configuration that moves the link meanwhile goes by the old files: an answer then proves nothing."""
        return self._line.settings.certificate_file == held.certificate_file

    def _on_connection(self, up: bool) -> None:
        self._connected = up

    def _on_ack(self) -> None:
        """Of the old connection one may still come: only what follows a new one counts."""
        self._acknowledged = self._connected

    def _fall_back(self) -> None:
        """To the old one; and to another key at the next try."""
        self._line.use(self._with_files(), anew=True)
        try:
            self._store.drop_new()
        except OSError as error:
            log.warning("what did not prove itself stays on disk: %s", error.strerror)
        self._forget("renewal")

    def _forget(self, asking: Asking) -> None:
        try:
            self._store.forget_request(asking)
        except OSError as error:
            log.warning("a key that is asked for no more stays on disk: %s", error.strerror)

    def _with_files(self, held: Held | None = None) -> LinkSettings:
        """The line's present settings, whatever the region has set of them since, with an identity's files."""
        files = held or self._first
        return replace(
            self._line.settings,
            ca_file=files.ca_file,
            certificate_file=files.certificate_file,
            key_file=files.key_file,
        )
