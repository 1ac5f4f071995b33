"""Camera, microphone and connections of the session in the room, told what to do and telling what happened.

Opening a device or a connection takes time; orders are therefore done one at a time, in the order given.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

from agent.connections import Connections, Wanted
from agent.contract.signalling import IceServer
from agent.device_faults import DeviceFaults
from agent.faults import kind_and_place
from agent.heap import give_back
from agent.media.call import Call
from agent.media.capture import Capture
from agent.media.device import DeviceError
from agent.media.facts import CallSettings, Fact, KioskAnswer
from agent.media.facts import IceServer as MediaIceServer
from agent.media.jpeg import Still
from agent.media.negotiation import NegotiationError
from agent.media.peer_use import EVERYTHING, PeerUse
from agent.media.server_finder import ServerFinder
from agent.media.zoom import CameraName, Zoom
from agent.screen import NoSuchMedia

log = logging.getLogger(__name__)

ORDER_TIMEOUT_S = 20.0
OPEN_TIMEOUT_S = 10.0
"""Devices that do not answer by then are closed and tried again; closing may take some seconds of its own."""
REOPEN_AFTER_S = 5.0
"""A camera that could not be opened is tried again, for as long as the patient is there."""
OPEN_WITHIN_S = 4.0
"""How long the screen may wait for the camera to open."""

Order = Callable[[], Awaitable[None]]


class CallControl:
    """All media of one unit. Used on the event loop.

    on_fact gets what `Call` says; on_lost(peer) when a connection never came to life; on_device_error(reason)
    when there can be no call at all; on_opened() when there can, and `generation` is another. A camera or a
    microphone that is not to be had is no reason: the call goes on without it (agent/device_faults.py).
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
        device_faults: DeviceFaults | None = None,
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
        self._device_faults = device_faults or DeviceFaults()
        self._loop = asyncio.get_running_loop()
        self._orders: asyncio.Queue[Order] = asyncio.Queue()
        self._worker = self._loop.create_task(self._work(), name="call-control")
        self._opened = asyncio.Event()
        self._wanted = False
        self._capture: Capture | None = None
        self._call: Call | None = None
        self._connections = Connections(self._loop, self._build)
        self._finder = finder or ServerFinder()
        self._ice_servers: dict[str, Sequence[IceServer]] = {}
        self.microphone = True
        self.camera = True
        self.on_hold = False
        self.generation = 0
        self.failed = False
        """There should be a call and cannot be one; it is tried again."""

    @property
    def capture(self) -> Capture | None:
        """The open camera and microphone."""
        return self._capture

    @property
    def call(self) -> Call | None:
        """The connections, while camera and microphone are open."""
        return self._call

    @property
    def ice_urls(self) -> tuple[str, ...]:
        """The STUN and TURN servers that were asked since the start."""
        return self._finder.book.urls

    def open(self) -> None:
        """Open camera and microphone; both on, whatever the last session chose."""
        self.microphone = self.camera = self._wanted = True
        self._orders.put_nowait(self._open)

    def close(self) -> None:
        """Close every connection, the camera and the microphone."""
        self._wanted = self.failed = self.on_hold = False
        self._connections.clear()
        self._ice_servers.clear()
        self._orders.put_nowait(self._close)

    def use_servers(self, peer: str, ice_servers: Sequence[IceServer]) -> None:
        """The newest STUN and TURN servers for a party; those that work are known before they are needed."""
        self._ice_servers[peer] = ice_servers
        self._finder.look_at(_for_media(ice_servers))

    def connect(self, peer: str, ice_servers: Sequence[IceServer], use: PeerUse = EVERYTHING) -> None:
        """Build a connection with a party, or build it anew (see agent/connections.py)."""
        self._connections.want(peer, ice_servers, use)
        if self._call is not None:
            self._call.show_to(peer, use.sees)  # the connection that is up meanwhile, too

    def signalling(self, up: bool) -> None:
        """Offers can be sent, or not."""
        self._connections.signalling(up)

    def network_changed(self, addresses: frozenset[str]) -> None:
        """This machine's addresses now."""
        self._connections.network_changed(addresses)

    def show_to(self, peer: str, sees: bool) -> None:
        """From now on this party gets our picture, or does not."""
        wanted = self._connections.get(peer)
        if wanted is None:
            return
        wanted.use = replace(wanted.use, sees=sees)
        if self._call is not None and not self._call.show_to(peer, sees):
            self.connect(peer, wanted.ice_servers, wanted.use)

    def disconnect(self, peer: str) -> None:
        """End the connection with a party."""
        self._connections.drop(peer)
        self._ice_servers.pop(peer, None)

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
        self._connections.flowing(peer)

    def tick(self) -> None:
        """Give up attempts that never came to life, and look whether the devices are well."""
        self._device_faults.look(self._capture.stats() if self._capture is not None else None)
        # Without a call the devices are being opened: no offer has gone out.
        for peer in self._connections.overdue() if self._call is not None else ():
            self._on_lost(peer)

    def set_microphone(self, on: bool) -> None:
        """Let the others hear the room, or not."""
        self.microphone = on
        self._turn()

    def set_camera(self, on: bool) -> None:
        """Let the others see the room, or not: off, the camera is closed."""
        self.camera = on
        self._turn()

    def hold(self, on: bool) -> None:
        """Close the camera, drop what the microphone hears, and show the room nothing of the others.

        What the patient had chosen comes back afterwards, or what they choose meanwhile.
        """
        self.on_hold = on
        self._turn()
        if self._call is not None:
            self._call.hold(on)
            self._call.send_message(None, {"type": "held", "on": on})

    def _turn(self) -> None:
        if self._capture is not None:
            self._capture.set_microphone(self.microphone and not self.on_hold)
            self._capture.set_camera(self.camera and not self.on_hold)
        self.tell_state()

    def tell_state(self) -> None:
        """Tell the parties what is on."""
        seen = not self.on_hold
        self.tell({"type": "state", "microphone": self.microphone and seen, "camera": self.camera and seen})

    def tell(self, message: Mapping[str, object], peer: str | None = None) -> None:
        """Send a party's page a message over the data channel, or all pages."""
        if self._call is not None:
            self._call.send_message(peer, message)

    def look(self, camera: CameraName, zoom: Zoom | None) -> None:
        """Show this part of what this camera sees."""
        if self._capture is not None:
            self._capture.look(camera, zoom)

    async def still(self) -> Still:
        """One picture of the sensor's full size. Raises DeviceError."""
        if self._capture is None or self.on_hold or not self.camera:
            raise DeviceError("camera", "it is off", "Turn it on")
        return await self._capture.still()

    async def send_blob(self, peer: str, header: Mapping[str, object], data: bytes) -> bool:
        """Send one party's page a message and these bytes after it; False if not all of it went out."""
        return self._call is not None and await self._call.send_blob(peer, header, data)

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

    def _build(self, peer: str, wanted: Wanted) -> None:
        servers = _for_media(self._ice_servers.get(peer, wanted.ice_servers))
        attempt = self._next_attempt()

        async def order() -> None:
            if self._call is not None and self._connections.get(peer) is wanted:
                wanted.offered_at = self._loop.time()
                await self._call.connect(peer, attempt, servers, wanted.use)

        self._orders.put_nowait(order)

    async def _open(self) -> None:
        if self._capture is not None or not self._wanted:
            return
        capture: Capture | None = None
        try:
            capture = self._make_capture()
            async with asyncio.timeout(OPEN_TIMEOUT_S):
                await self._before_open()
                await capture.open()
        except (DeviceError, TimeoutError) as error:
            log.warning("media cannot be opened: %s", str(error) or "no answer in time")
            await self._not_opened(capture, error.what if isinstance(error, DeviceError) else "timeout")
            return
        except Exception as error:
            log.error("media cannot be opened: %s", kind_and_place(error))  # noqa: TRY400
            await self._not_opened(capture, "fault")
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
        self._call.hold(self.on_hold)
        self._turn()
        # Grows over a restart too: a screen that missed it would take its dead connections for living ones.
        self.generation = self._next_attempt()
        self._opened.set()
        self._on_opened()

    async def _not_opened(self, capture: Capture | None, what: str) -> None:
        self._loop.call_later(REOPEN_AFTER_S, self._orders.put_nowait, self._open)
        if capture is not None:
            await capture.close()
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
