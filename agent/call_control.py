"""Camera, microphone and connections of the session in the room, told what to do and telling what happened.

Opening a device or a connection takes time; orders are therefore done one at a time, in the order given.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from agent.contract.signalling import IceServer
from agent.faults import kind_and_place
from agent.heap import give_back
from agent.media.call import Call
from agent.media.capture import Capture
from agent.media.device import DeviceError
from agent.media.facts import CallSettings, Fact, KioskAnswer
from agent.media.facts import IceServer as MediaIceServer
from agent.media.negotiation import NegotiationError
from agent.media.server_finder import ServerFinder
from agent.screen import NoSuchMedia

log = logging.getLogger(__name__)

ORDER_TIMEOUT_S = 20.0
OPEN_TIMEOUT_S = 10.0
"""Devices that do not answer by then are closed and tried again; closing may take some seconds of its own."""
RETRY_AFTER_S = 2.0
"""An attempt that is under way gets so long before another begins."""
REOPEN_AFTER_S = 5.0
"""A camera that could not be opened is tried again, for as long as the patient is there."""
CONNECT_WITHIN_S = (5.0, 6.0, 8.0, 10.0)
"""An attempt without media for this long after its offer is followed by the next: the first, the second, …"""
COMES_BACK_WITHIN_S = 0.7
"""When the line is back, media that was on it comes by itself sooner than a rebuilt connection would."""
OPEN_WITHIN_S = 4.0
"""How long the screen may wait for the camera to open."""

Order = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class _Connection:
    """What is known of the connection with one party. offered_at: of the attempt under way, if there is one."""

    ice_servers: Sequence[IceServer]
    offered_at: float | None = None
    tries: int = 0
    held: bool = False
    """Wanted, but there is no signalling."""
    addresses: frozenset[str] = frozenset()
    """Ours when it was built: with one of them gone it may be dead."""
    timer: asyncio.TimerHandle | None = field(default=None, repr=False)

    @property
    def give_up_s(self) -> float:
        return CONNECT_WITHIN_S[min(self.tries, len(CONNECT_WITHIN_S)) - 1]

    @property
    def unsettled(self) -> bool:
        return self.held or self.offered_at is not None

    def stop_timer(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


class CallControl:
    """All media of one unit. Used on the event loop.

    on_fact gets what `Call` says; on_lost(peer) when a connection never came to life; on_device_error(reason)
    when camera or microphone cannot be opened; on_opened() when they are open, and `generation` is another.
    """

    def __init__(
        self,
        *,
        make_capture: Callable[[], Capture],
        settings: CallSettings,
        before_open: Callable[[], Awaitable[None]],
        next_attempt: Callable[[], int],
        on_fact: Callable[[Fact], None],
        on_lost: Callable[[str], None],
        on_device_error: Callable[[str], None],
        on_opened: Callable[[], None] = lambda: None,
        finder: ServerFinder | None = None,
    ) -> None:
        self._make_capture = make_capture
        self.settings = settings
        """In force from the next time that camera and microphone are opened."""
        self._before_open = before_open
        self._next_attempt = next_attempt
        self._on_fact = on_fact
        self._on_lost = on_lost
        self._on_device_error = on_device_error
        self._on_opened = on_opened
        self._loop = asyncio.get_running_loop()
        self._orders: asyncio.Queue[Order] = asyncio.Queue()
        self._worker = self._loop.create_task(self._work(), name="call-control")
        self._opened = asyncio.Event()
        self._wanted = False
        self._capture: Capture | None = None
        self._call: Call | None = None
        self._connections: dict[str, _Connection] = {}
        self._signalling = True
        self._addresses: frozenset[str] = frozenset()
        self._finder = finder or ServerFinder()
        self._ice_servers: dict[str, Sequence[IceServer]] = {}
        self.microphone = True
        self.camera = True
        self.generation = 0
        self.failed = False
        """Camera or microphone should be open and cannot be opened; it is tried again."""

    @property
    def capture(self) -> Capture | None:
        """The open camera and microphone."""
        return self._capture

    @property
    def call(self) -> Call | None:
        """The connections, while camera and microphone are open."""
        return self._call

    def open(self) -> None:
        """Open camera and microphone; both on, whatever the last session chose."""
        self.microphone = self.camera = self._wanted = True
        self._orders.put_nowait(self._open)

    def close(self) -> None:
        """Close every connection, the camera and the microphone."""
        self._wanted = self.failed = False
        for connection in self._connections.values():
            connection.stop_timer()
        self._connections.clear()
        self._ice_servers.clear()
        self._orders.put_nowait(self._close)

    def use_servers(self, peer: str, ice_servers: Sequence[IceServer]) -> None:
        """The newest STUN and TURN servers for a party; those that work are known before they are needed."""
        self._ice_servers[peer] = ice_servers
        self._finder.look_at(_for_media(ice_servers))

    def connect(self, peer: str, ice_servers: Sequence[IceServer]) -> None:
        """Build a connection with a party, or build it anew.

        At once, but after RETRY_AFTER_S if an attempt is under way, and not before there is signalling.
        """
        connection = self._connections.setdefault(peer, _Connection(ice_servers))
        connection.ice_servers = ice_servers
        connection.stop_timer()
        wait_s = 0.0
        if connection.offered_at is not None:
            wait_s = max(0.0, connection.offered_at + RETRY_AFTER_S - self._loop.time())
        connection.timer = self._loop.call_later(wait_s, self._build, peer)

    def _build(self, peer: str) -> None:
        connection = self._connections[peer]
        connection.timer = None
        connection.held = not self._signalling
        if connection.held:
            connection.offered_at = None
            return
        connection.addresses = self._addresses
        connection.offered_at = self._loop.time()
        connection.tries += 1
        self._orders.put_nowait(self._connecting(peer, connection))

    def signalling(self, up: bool) -> None:
        """Offers can be sent, or not. What has no media by then is built anew: its offer may have been lost."""
        self._signalling = up
        for peer, connection in self._connections.items() if up else ():
            if connection.unsettled:
                connection.stop_timer()
                wait_s = COMES_BACK_WITHIN_S if connection.addresses <= self._addresses else 0.0
                connection.timer = self._loop.call_later(wait_s, self._build, peer)

    def network_changed(self, addresses: frozenset[str]) -> None:
        """This machine's addresses now. A connection that may hang on one that is gone is built anew."""
        self._addresses = addresses
        for peer, connection in self._connections.items():
            if connection.unsettled or not connection.addresses <= addresses:
                self.connect(peer, connection.ice_servers)

    def disconnect(self, peer: str) -> None:
        """End the connection with a party."""
        connection = self._connections.pop(peer, None)
        self._ice_servers.pop(peer, None)
        if connection is not None:
            connection.stop_timer()

        async def order() -> None:
            if self._call is not None:
                await self._call.disconnect(peer)

        self._orders.put_nowait(order)

    def answer(self, peer: str, attempt: int, sdp: str) -> None:
        """A party's answer; one to an older offer is dropped."""

        async def order() -> None:
            if self._call is not None:
                await self._call.answer(peer, attempt, sdp)

        self._orders.put_nowait(order)

    def candidate(self, peer: str, attempt: int, candidate: dict[str, object]) -> None:
        """A party's candidate."""

        async def order() -> None:
            if self._call is not None:
                await self._call.candidate(peer, attempt, candidate)

        self._orders.put_nowait(order)

    def flowing(self, peer: str) -> None:
        """Media has come from this party."""
        connection = self._connections.get(peer)
        if connection is not None:
            connection.offered_at, connection.tries, connection.held = None, 0, False
            connection.stop_timer()

    def tick(self) -> None:
        """Give up attempts that never came to life."""
        now = self._loop.time()
        if self._call is None:
            return  # the devices are being opened: no offer has gone out
        for peer, connection in list(self._connections.items()):
            offered_at = connection.offered_at
            if offered_at is not None and now > offered_at + connection.give_up_s:
                self._on_lost(peer)

    def set_microphone(self, on: bool) -> None:
        """Let the others hear the room, or not."""
        self.microphone = on
        if self._capture is not None:
            self._capture.set_microphone(on)
        self.tell_state()

    def set_camera(self, on: bool) -> None:
        """Let the others see the room, or not: off, the camera is closed."""
        self.camera = on
        if self._capture is not None:
            self._capture.set_camera(on)
        self.tell_state()

    def tell_state(self) -> None:
        """Tell the parties what is on."""
        if self._call is not None:
            state = {"type": "state", "microphone": self.microphone, "camera": self.camera}
            self._call.send_message(None, state)

    async def whep_offer(self, name: str, sdp: str) -> KioskAnswer:
        """Connect the screen; waits a little for a camera that is being opened. Raises NoSuchMedia."""
        try:
            await asyncio.wait_for(self._opened.wait(), OPEN_WITHIN_S)
        except TimeoutError:
            raise NoSuchMedia(name) from None
        if self._call is None:
            raise NoSuchMedia(name)
        try:
            return await self._call.kiosk_offer(name, sdp)
        except NegotiationError as error:
            log.info("screen's offer refused: %s", error)
            raise NoSuchMedia(name) from error

    async def whep_close(self, resource: str) -> None:
        """End one of the screen's connections."""
        if self._call is not None:
            await self._call.kiosk_close(resource)

    async def stop(self) -> None:
        """Close all, and stop working."""
        self.close()
        await self._orders.join()
        await self._finder.close()
        self._worker.cancel()

    def _connecting(self, peer: str, connection: _Connection) -> Order:
        servers = _for_media(self._ice_servers.get(peer, connection.ice_servers))
        attempt = self._next_attempt()

        async def order() -> None:
            if self._call is not None and self._connections.get(peer) is connection:
                connection.offered_at = self._loop.time()
                await self._call.connect(peer, attempt, servers)

        return order

    async def _open(self) -> None:
        if self._capture is not None or not self._wanted:
            return
        capture = self._make_capture()
        try:
            async with asyncio.timeout(OPEN_TIMEOUT_S):
                await self._before_open()
                await capture.open()
        except (DeviceError, TimeoutError) as error:
            log.warning("media cannot be opened: %s", str(error) or "no answer in time")
            await capture.close()
            self._not_opened(error.what if isinstance(error, DeviceError) else "timeout")
            return
        self.failed = False
        self._capture = capture
        self._call = Call(
            capture.video,
            capture.audio,
            on_fact=self._on_fact,
            settings=self.settings,
            fallback_video=lambda: capture.video_vp8,
            small_video=lambda: capture.video_small,
            finder=self._finder,
        )
        capture.set_microphone(self.microphone)
        capture.set_camera(self.camera)
        # Grows over a restart too: a screen that missed it would take its dead connections for living ones.
        self.generation = self._next_attempt()
        self._opened.set()
        self._on_opened()

    def _not_opened(self, what: str) -> None:
        self._loop.call_later(REOPEN_AFTER_S, self._orders.put_nowait, self._open)
        if self._wanted and not self.failed:
            self.failed = True
            self._on_device_error(what)

    async def _close(self) -> None:
        self._opened.clear()
        call, self._call = self._call, None
        capture, self._capture = self._capture, None
        if call is not None:
            await call.close()
        if capture is not None:
            await capture.close()
            give_back()

    async def _work(self) -> None:
        while True:
            order = await self._orders.get()
            try:
                await asyncio.wait_for(order(), ORDER_TIMEOUT_S)
            except Exception as error:
                log.error("a media order failed: %s", kind_and_place(error))  # noqa: TRY400
            finally:
                self._orders.task_done()


def _for_media(servers: Sequence[IceServer]) -> list[MediaIceServer]:
    return [
        MediaIceServer(urls=tuple(each.urls), username=each.username, credential=each.credential)
        for each in servers
    ]
