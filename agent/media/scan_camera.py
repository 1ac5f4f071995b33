"""The camera while a QR code is held up to it: opened for that alone, seen by the room's own screen alone.

No microphone is opened, and nothing leaves the machine. The mirror on the screen is the same encoder as in a call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from agent.media.call import Call
from agent.media.camera import make_camera
from agent.media.camera_thread import CameraThread
from agent.media.capture import CaptureSettings
from agent.media.encoder import EncoderSettings, VideoEncoder
from agent.media.facts import CallSettings, KioskAnswer
from agent.media.footage import Footage
from agent.media.pixels import blank
from agent.media.qr_reader import QrReader
from agent.media.source import Codec, EncodingTarget, Listener, Unsubscribe
from agent.media.video_codec import PictureForm, open_encoder, silence_ffmpeg


class NoSound:
    """An EncodedSource that never has anything: the call that carries the mirror wants one."""

    codec: Codec = "opus"
    clock_rate = 48_000

    def subscribe(self, listener: Listener) -> Unsubscribe:
        return lambda: None

    def request_keyframe(self) -> None: ...
    def set_target(self, target: EncodingTarget) -> None: ...
    def skip_until(self, at: float) -> None: ...
    def set_expected_loss(self, fraction: float) -> None: ...


class ScanCamera:
    """One opening of the camera. Used on the event loop; on_text gets what each code says, again and again."""

    def __init__(
        self,
        settings: CaptureSettings,
        call_settings: CallSettings,
        *,
        on_text: Callable[[str], None],
    ) -> None:
        silence_ffmpeg()
        loop = asyncio.get_running_loop()
        camera = settings.camera
        film = Footage(camera.file) if camera.kind == "file" and camera.file else None
        form = PictureForm(camera.width, camera.height, camera.frame_rate, settings.max_bit_rate)
        self._reader = QrReader(on_text)
        self._encoder = VideoEncoder(
            loop, EncoderSettings(settings.encoders, form, settings.bit_rate), open_encoder
        )
        self._camera = CameraThread(
            make_camera(camera, film),
            blank(camera.width, camera.height),
            (self._encoder.offer, self._reader.offer),
            camera.burn_clock,
        )
        self._call = Call(self._encoder, NoSound(), on_fact=lambda _fact: None, settings=call_settings)

    async def open(self) -> None:
        """Open the camera and begin to look. Raises DeviceError; then close() it all the same."""
        self._camera.start()
        await asyncio.wrap_future(self._camera.opened)
        self._reader.start()

    async def mirror(self, sdp: str) -> KioskAnswer:
        """Connect the screen to the camera's picture. Raises NegotiationError."""
        return await self._call.kiosk_offer("self", sdp)

    async def end_mirror(self, resource: str) -> None:
        """End such a connection; one that is not ours is left alone."""
        await self._call.kiosk_close(resource)

    async def close(self) -> None:
        """Close the camera, the reader and the mirror, and wait for that."""
        await self._reader.stop()
        await self._call.close()
        stops = (self._camera.stop, self._encoder.stop)
        await asyncio.gather(*(asyncio.to_thread(stop) for stop in stops))
