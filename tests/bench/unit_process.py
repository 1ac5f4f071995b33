"""The unit's media in a process of its own: Capture and Call, joined as agent.call_control joins them."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
from pathlib import Path
from typing import Any

from agent.__main__ import go_before_the_screen
from agent.media.call import Call
from agent.media.camera import CameraSettings
from agent.media.capture import Capture, CaptureSettings
from agent.media.facts import CallSettings, Fact, LocalOffer
from agent.media.microphone import MicrophoneSettings
from tests.bench.lines import answer_lines

FIRST_ATTEMPT = 1


class UnitUnderTest:
    """Answers the bench's questions; addresses are this machine's loopback alone."""

    def __init__(self, film: Path) -> None:
        settings = CaptureSettings(
            camera=CameraSettings(kind="file", file=film, burn_clock=True),
            microphone=MicrophoneSettings(kind="file", file=film),
        )
        self._loop = asyncio.get_running_loop()
        self.capture = Capture(self._loop, settings)
        self._offers: dict[str, asyncio.Future[str]] = {}
        self.call = Call(
            self.capture.video,
            self.capture.audio,
            on_fact=self._on_fact,
            settings=CallSettings(addresses=(), loopback_candidates=True),
            fallback_video=lambda: self.capture.video_vp8,
            small_video=lambda: self.capture.video_small,
        )

    def _on_fact(self, fact: Fact) -> None:
        if isinstance(fact, LocalOffer):
            self._offers[fact.peer].set_result(fact.sdp)

    async def open(self, camera: bool = True) -> dict[str, Any]:
        await self.capture.open()
        self.capture.set_camera(camera)
        return {}

    async def offer(self, peer: str) -> dict[str, Any]:
        self._offers[peer] = self._loop.create_future()
        await self.call.connect(peer, FIRST_ATTEMPT)
        return {"sdp": await self._offers[peer]}

    async def answer(self, peer: str, sdp: str) -> dict[str, Any]:
        await self.call.answer(peer, FIRST_ATTEMPT, sdp)
        return {}

    async def kiosk(self, resource: str, sdp: str) -> dict[str, Any]:
        return {"sdp": (await self.call.kiosk_offer(resource, sdp)).sdp}

    async def stats(self) -> dict[str, Any]:
        capture, call = self.capture.stats(), self.call.stats()
        return {"capture": dataclasses.asdict(capture), "call": dataclasses.asdict(call)}


async def main(film: Path) -> None:
    go_before_the_screen()
    unit = UnitUnderTest(film)
    questions = (unit.open, unit.offer, unit.answer, unit.kiosk, unit.stats)
    await answer_lines({question.__name__: question for question in questions})
    await unit.call.close()
    await unit.capture.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
