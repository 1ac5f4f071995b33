"""One session's capture: camera, microphone and encoders, each opened by itself and all closed together.

Threads: camera (reads or decodes, hands pictures on), encoders for H.264, a smaller H.264 and VP8 (each only
once somebody listens), microphone (reads and encodes sound). They meet in one-place mailboxes, and hand out
on the event loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import wait
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from agent.media.camera import CameraSettings, make_camera
from agent.media.camera_thread import CameraThread
from agent.media.device import Camera, DeviceError
from agent.media.encoder import EncoderSettings, EncoderStats, VideoEncoder
from agent.media.encoder_chain import Opener
from agent.media.footage import Footage
from agent.media.jpeg import Still, encode_still
from agent.media.listening import Heard
from agent.media.microphone import MicrophoneSettings, make_microphone
from agent.media.pixels import blank
from agent.media.sound import SoundSource
from agent.media.source import EncodedSource, EncodingName
from agent.media.video_codec import PictureForm, open_encoder, silence_ffmpeg
from agent.media.watching import Seen, Watching
from agent.media.zoom import CameraName, CameraView, Zoom

log = logging.getLogger(__name__)

# VP8 costs more than H.264 and is for the rare party that has nothing else: never above this.
VP8_MAX_BIT_RATE = 1_500_000
STILL_TIMEOUT_S = 6.0  # a camera is opened anew for it, and again afterwards
OPEN_PATIENCE_S = 2.0
"""A device that has not answered by then is waited for in the call: a card that was asleep may take longer."""
T = TypeVar("T")
SMALL_MAX_BIT_RATE = 1_500_000  # of the second H.264 encoding, for parties on slow lines


@dataclass(frozen=True, slots=True)
class CaptureSettings:
    """What to capture and how. Bitrates in bit/s; encoders are names of FFmpeg's, in order of preference."""

    camera: CameraSettings = field(default_factory=CameraSettings)
    microphone: MicrophoneSettings = field(default_factory=MicrophoneSettings)
    encoders: tuple[str, ...] = ("libx264",)
    bit_rate: int = 1_500_000
    max_bit_rate: int = 2_500_000
    hand_camera: CameraSettings | None = None


@dataclass(frozen=True, slots=True)
class CaptureStats:
    """Figures for telemetry and the watchdog. The alive_at are of time.monotonic(); a fault is a sentence or
    None.

    frames_encoded counts H.264 encode calls: one per picture, however many parties listen. heard and seen are of
    the last second, in numbers.
    """

    frames_captured: int
    frames_encoded: int
    frames_encoded_small: int
    frames_encoded_vp8: int
    frames_dropped: int
    keyframes: int
    encoder: str | None
    encoder_failures: int
    encode_ms: float
    bytes_encoded: int
    bit_rate: int
    level_dbfs: float
    muted: bool
    camera_open: bool
    camera_fault: str | None
    microphone_fault: str | None
    camera_alive_at: float
    encoder_alive_at: float
    microphone_alive_at: float
    encoders: Mapping[EncodingName, EncoderStats] = field(default_factory=dict)  # each with its own counters
    heard: Heard | None = None
    seen: Seen | None = None


class Capture:
    """Camera, microphone and encoders of one session. All methods are called on the event loop."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        settings: CaptureSettings,
        *,
        on_level: Callable[[float], None] | None = None,
        opener: Opener = open_encoder,
        on_view: Callable[[CameraView], None] = lambda _view: None,
    ) -> None:
        """on_level gets dBFS ten times a second; on_view what the camera shows, when that changes. Both on the
        loop."""
        silence_ffmpeg()
        self._loop = loop
        camera, microphone = settings.camera, settings.microphone
        picture_film = Footage(camera.file) if camera.kind == "file" and camera.file else None
        sound_film = Footage(microphone.file) if microphone.kind == "file" and microphone.file else None
        if picture_film and sound_film and picture_film.path == sound_film.path:
            sound_film = picture_film  # one clock, one loop point
        form = PictureForm(camera.width, camera.height, camera.frame_rate, settings.max_bit_rate)
        self._h264 = VideoEncoder(loop, EncoderSettings(settings.encoders, form, settings.bit_rate), opener)
        small_form = PictureForm(camera.width, camera.height, camera.frame_rate, SMALL_MAX_BIT_RATE)
        small_rate = min(settings.bit_rate, SMALL_MAX_BIT_RATE)
        self._small = VideoEncoder(
            loop, EncoderSettings(settings.encoders, small_form, small_rate, shares_pictures=True), opener
        )
        vp8_form = PictureForm(camera.width, camera.height, camera.frame_rate, VP8_MAX_BIT_RATE)
        vp8_rate = min(settings.bit_rate, VP8_MAX_BIT_RATE)
        self._vp8 = VideoEncoder(loop, EncoderSettings(("libvpx",), vp8_form, vp8_rate), opener)
        self._watching = Watching()
        self._camera = CameraThread(
            make_camera(camera, picture_film),
            blank(camera.width, camera.height),
            (self._h264.offer, self._small.offer, self._vp8.offer, self._watching.take),
            camera.burn_clock,
            hand=_hand_camera(settings),
            on_view=partial(self._tell, on_view),
        )
        self._sound = SoundSource(
            loop, make_microphone(microphone, sound_film), on_level, tone_hz=microphone.tone_hz
        )
        self.video: EncodedSource = self._h264
        self.video_small: EncodedSource = self._small
        self.video_vp8: EncodedSource = self._vp8
        self.audio: EncodedSource = self._sound

    async def open(self) -> None:
        """Open camera and microphone, each by itself; return when both have answered, well or ill, or soon.

        What is not to be had is treated as what is lost later: darkness or silence goes out, stats() says why,
        and it is tried again until it is there. Without both, a call still brings the others into the room.
        """
        self._camera.start()
        self._sound.start()
        await asyncio.to_thread(wait, (self._camera.opened, self._sound.opened), OPEN_PATIENCE_S)

    def set_microphone(self, on: bool) -> None:
        """Off: what is captured is dropped and silence goes out; the device stays open (see
        agent.media.sound)."""
        self._sound.set_muted(not on)

    def set_camera(self, on: bool) -> None:
        """Off: the device is really closed and the lamp goes out; a dark picture goes out twice a second."""
        self._camera.set_on(on)

    def look(self, camera: CameraName, zoom: Zoom | None) -> None:
        """Show this part of what this camera sees; on_view tells when it is so, or what is shown instead."""
        self._camera.look(camera, zoom)

    async def still(self) -> Still:
        """One picture of the sensor's full size, of the camera that is open. Raises DeviceError."""
        try:
            async with asyncio.timeout(STILL_TIMEOUT_S):
                frame = await asyncio.wrap_future(self._camera.still())
        except TimeoutError:
            raise DeviceError("camera", "it gave no still picture in time", "Try again") from None
        return await asyncio.to_thread(encode_still, frame)

    def stats(self) -> CaptureStats:
        """Figures so far."""
        camera, h264, sound = self._camera.stats(), self._h264.stats(), self._sound.stats()
        small, vp8 = self._small.stats(), self._vp8.stats()
        return CaptureStats(
            frames_captured=camera.frames_captured,
            frames_encoded=h264.frames_encoded,
            frames_encoded_small=small.frames_encoded,
            frames_encoded_vp8=vp8.frames_encoded,
            frames_dropped=h264.frames_dropped,
            keyframes=h264.keyframes,
            encoder=h264.encoder,
            encoder_failures=h264.failures,
            encode_ms=h264.encode_ms,
            bytes_encoded=h264.bytes_encoded,
            bit_rate=h264.bit_rate,
            level_dbfs=sound.level_dbfs,
            muted=sound.muted,
            camera_open=camera.is_open,
            camera_fault=_sentence(camera.fault),
            microphone_fault=_sentence(sound.fault),
            camera_alive_at=camera.alive_at,
            encoder_alive_at=h264.alive_at,
            microphone_alive_at=sound.alive_at,
            encoders={"full": h264, "small": small, "vp8": vp8},
            heard=sound.heard,
            seen=self._watching.seen,
        )

    async def close(self) -> None:
        """Close everything and wait for the threads. Closing twice does nothing."""
        stops = (self._camera.stop, self._sound.stop, self._h264.stop, self._small.stop, self._vp8.stop)
        await asyncio.gather(*(asyncio.to_thread(stop) for stop in stops))

    def _tell(self, listener: Callable[[T], None], value: T) -> None:
        try:
            self._loop.call_soon_threadsafe(listener, value)
        except RuntimeError:
            log.debug("the camera changed after the event loop's end")


def _hand_camera(settings: CaptureSettings) -> Camera | None:
    """The camera to be held in the hand; its pictures are made as large as the other's, which are encoded."""
    hand, main = settings.hand_camera, settings.camera
    if hand is None:
        return None
    form = replace(hand, width=main.width, height=main.height, frame_rate=main.frame_rate)
    return make_camera(form, Footage(hand.file) if hand.kind == "file" and hand.file else None)


def _sentence(fault: DeviceError | None) -> str | None:
    return None if fault is None else str(fault)
