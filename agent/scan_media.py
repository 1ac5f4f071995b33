"""Opens and closes the camera for scanning, one after the other, and shows its mirror to the screen."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from agent.faults import kind_and_place
from agent.heap import give_back
from agent.media.device import DeviceError
from agent.media.facts import KioskAnswer
from agent.media.negotiation import NegotiationError
from agent.screen import NoSuchMedia

log = logging.getLogger(__name__)

OPEN_WITHIN_S = 10.0
"""A camera that does not answer by then is not there."""
SHOWN_WITHIN_S = 4.0
"""How long the screen may wait for the mirror."""


class Camera(Protocol):
    """agent.media.scan_camera.ScanCamera."""

    async def open(self) -> None: ...
    async def mirror(self, sdp: str) -> KioskAnswer: ...
    async def end_mirror(self, resource: str) -> None: ...
    async def close(self) -> None: ...


class Whep(Protocol):
    """The session's own media, which has the name "self" when nobody scans."""

    async def whep_offer(self, name: str, sdp: str) -> KioskAnswer: ...
    async def whep_close(self, resource: str) -> None: ...


class ScanMedia:
    """Used on the event loop. on_failed() when the camera cannot be had; on_opened() when `generation` is new."""

    def __init__(
        self,
        make_camera: Callable[[], Camera],
        *,
        before_open: Callable[[], Awaitable[None]],
        next_generation: Callable[[], int],
        on_opened: Callable[[], None],
        on_failed: Callable[[], None],
    ) -> None:
        self._make_camera = make_camera
        self._before_open = before_open
        self._next_generation = next_generation
        self._on_opened = on_opened
        self._on_failed = on_failed
        self._turn = asyncio.Lock()
        self._opened = asyncio.Event()
        self._wanted = False
        self._camera: Camera | None = None
        self._working: set[asyncio.Task[Any]] = set()
        self.generation = 0

    def open(self) -> None:
        """Open the camera and look for codes."""
        self._wanted = True
        self._begin(self._open())

    def close(self) -> None:
        """Close it."""
        self._wanted = False
        self._opened.clear()
        self._begin(self._close())

    async def closed(self) -> None:
        """Wait until the camera is closed, if it is to be: somebody else needs it."""
        while self._working and not self._wanted:
            # Not gather: whoever gives up waiting would break the closing off, and the camera would stay open.
            await asyncio.wait(self._working)

    async def stop(self) -> None:
        """The agent stops."""
        self.close()
        await self.closed()

    @property
    def is_wanted(self) -> bool:
        """Whether the mirror is the screen's picture of itself now."""
        return self._wanted

    async def mirror(self, sdp: str) -> KioskAnswer:
        """Connect the screen; waits a little for a camera that is being opened. Raises NoSuchMedia."""
        try:
            await asyncio.wait_for(self._opened.wait(), SHOWN_WITHIN_S)
        except TimeoutError:
            raise NoSuchMedia("self") from None
        if self._camera is None:
            raise NoSuchMedia("self")
        try:
            return await self._camera.mirror(sdp)
        except NegotiationError as error:
            log.info("screen's offer refused: %s", error)
            raise NoSuchMedia("self") from error

    async def end_mirror(self, resource: str) -> None:
        """End the screen's connection."""
        if self._camera is not None:
            await self._camera.end_mirror(resource)

    def _begin(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._working.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._working.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.error("scanning failed: %s", kind_and_place(error))
            self._on_failed()

    async def _open(self) -> None:
        async with self._turn:
            if self._wanted and self._camera is None:
                await self._before_open()
                self._camera = await self._opened_camera()
                self.generation = self._next_generation()
            if self._wanted and self._camera is not None:
                self._opened.set()
                self._on_opened()
            elif self._wanted:
                self._wanted = False
                self._on_failed()

    async def _opened_camera(self) -> Camera | None:
        camera = self._make_camera()
        try:
            async with asyncio.timeout(OPEN_WITHIN_S):
                await camera.open()
        except (DeviceError, TimeoutError) as error:
            log.warning("the camera cannot be opened for scanning: %s", str(error) or "no answer in time")
            await camera.close()
            return None
        except BaseException:
            await camera.close()
            raise
        return camera

    async def _close(self) -> None:
        async with self._turn:
            if self._wanted:
                return
            camera, self._camera = self._camera, None
            if camera is not None:
                await camera.close()
                give_back()


class Mirrors:
    """The screen's WHEP calls (agent/controller.py): "self" is the scanning camera's while that is open."""

    def __init__(self, session: Whep, scan: ScanMedia) -> None:
        self._session = session
        self._scan = scan

    async def whep_offer(self, name: str, sdp: str) -> KioskAnswer:
        """Connect the screen. Raises NoSuchMedia."""
        if name == "self" and self._scan.is_wanted:
            return await self._scan.mirror(sdp)
        return await self._session.whep_offer(name, sdp)

    async def whep_close(self, resource: str) -> None:
        """End such a connection, whosever it is."""
        await self._scan.end_mirror(resource)
        await self._session.whep_close(resource)
