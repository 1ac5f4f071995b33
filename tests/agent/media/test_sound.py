"""Sound: Opus that decodes to what went in, silence when muted, a tone to know it by, even timestamps."""

from __future__ import annotations

import asyncio
import threading
import time

import av
import numpy as np
import pytest

from agent.media import sound as sound_module
from agent.media.device import DeviceError, RawSound
from agent.media.microphone import FRAME_SAMPLES, SILENCE_DBFS
from agent.media.sound import SoundSource, Timeline
from agent.media.source import EncodedFrame
from agent.media.speech import tone


def decoded(packets: list[bytes]) -> np.ndarray:
    decoder = av.CodecContext.create("libopus", "r")
    decoder.sample_rate, decoder.layout = 48000, "mono"
    frames = [frame for packet in packets for frame in decoder.decode(av.Packet(packet))]
    return np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames]).astype(np.float64)


def peak_hz(wave: np.ndarray) -> float:
    return float(np.abs(np.fft.rfft(wave * np.hanning(len(wave)))).argmax() * 48000 / len(wave))


class FakeMicrophone:
    """Gives a loud 300 Hz tone without waiting; can be missing at open, or break while it is read."""

    def __init__(self) -> None:
        self.pieces = 0
        self.opened = self.closed = 0
        self.fault: DeviceError | None = None
        self.missing: DeviceError | None = None

    def open(self) -> None:
        if self.fault:
            raise self.fault
        self.opened += 1

    def read(self) -> RawSound:
        if self.fault:
            raise self.fault
        time.sleep(0.001)
        samples = tone(300, -12, self.pieces * FRAME_SAMPLES, FRAME_SAMPLES).astype(np.int16)
        self.pieces += 1
        return RawSound(samples, 50 + self.pieces * 0.02)

    def close(self) -> None:
        self.closed += 1


async def until(holds: object, limit_s: float = 5.0) -> None:
    limit = time.monotonic() + limit_s
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < limit, "it never came about"
        await asyncio.sleep(0.002)


def test_timestamps_run_on_evenly_and_jump_with_a_gap() -> None:
    timeline = Timeline()
    first = timeline.timestamp(10.02)
    assert first == 480_000
    assert timeline.timestamp(10.047) == first + 960  # jitter of arrival does not show
    assert timeline.timestamp(10.055) == first + 1920
    assert timeline.timestamp(15.00) == round(14.98 * 48_000)


def test_muted_sends_silence_drops_what_is_captured_and_keeps_the_device() -> None:
    async def scenario() -> None:
        microphone, heard, levels = FakeMicrophone(), [], []
        source = SoundSource(asyncio.get_running_loop(), microphone, levels.append, tone_hz=None)
        source.subscribe(heard.append)
        source.start()
        await asyncio.wrap_future(source.opened)
        await until(lambda: len(heard) > 20)
        assert max(levels) == pytest.approx(-12, abs=0.5)
        source.set_muted(True)
        await until(lambda: source.stats().level_dbfs == SILENCE_DBFS)
        quiet_from = len(heard) + 5
        await until(lambda: len(heard) > quiet_from + 30)
        source.stop()
        packets = [frame.payload for frame in heard]
        wave = decoded(packets)
        assert peak_hz(wave[4800 : 20 * 960]) == pytest.approx(300, abs=10)
        assert float(np.abs(wave[quiet_from * 960 :]).max()) < 4e-3 * np.abs(wave).max()
        assert (microphone.opened, microphone.closed) == (1, 1)
        steps = np.diff([frame.timestamp for frame in heard])
        assert set(steps.tolist()) == {FRAME_SAMPLES}

    asyncio.run(scenario())


def test_the_test_tone_is_found_in_what_was_encoded() -> None:
    async def scenario() -> None:
        heard: list[EncodedFrame] = []
        source = SoundSource(asyncio.get_running_loop(), SilentMicrophone(), tone_hz=1234.0)
        source.subscribe(heard.append)
        source.start()
        await until(lambda: len(heard) > 40)
        source.stop()
        wave = decoded([frame.payload for frame in heard])
        assert peak_hz(wave[-24_000:]) == pytest.approx(1234, abs=3)

    asyncio.run(scenario())


class SilentMicrophone(FakeMicrophone):
    """Gives digital silence."""

    def read(self) -> RawSound:
        sound = super().read()
        return RawSound(np.zeros(FRAME_SAMPLES, np.int16), sound.captured_at)


def test_a_missing_microphone_is_told_at_open_and_opened_again_as_a_lost_one_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sound_module, "RETRY_S", 0.01)

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        microphone = FakeMicrophone()
        microphone.fault = DeviceError("microphone", "it is not there", "Plug it in")
        source = SoundSource(loop, microphone)
        source.start()
        with pytest.raises(DeviceError, match="Plug it in"):
            await asyncio.wrap_future(source.opened)
        assert "it is not there" in str(source.stats().fault)
        microphone.fault = None
        await until(lambda: microphone.pieces > 3 and source.stats().fault is None)
        microphone.fault = DeviceError("microphone", "it is gone", "Plug it in")
        await until(lambda: source.stats().fault is not None)
        microphone.fault = None
        await until(lambda: source.stats().fault is None)
        assert microphone.opened > 1
        source.stop()
        assert not [thread for thread in threading.enumerate() if thread.name == "microphone"]

    asyncio.run(scenario())


def test_silence_goes_out_evenly_while_the_microphone_is_gone_and_its_sound_when_it_is_back() -> None:
    async def scenario() -> None:
        microphone = FakeMicrophone()
        heard: list[EncodedFrame] = []
        source = SoundSource(asyncio.get_running_loop(), microphone)
        source.subscribe(heard.append)
        source.start()
        await until(lambda: len(heard) > 5)
        microphone.fault = DeviceError("microphone", "it is gone", "Plug it in")
        await until(lambda: source.stats().fault is not None)
        before = len(heard)
        await until(lambda: len(heard) > before + 20)
        silent = decoded([frame.payload for frame in heard[before + 5 : before + 20]])
        steps = np.diff([frame.timestamp for frame in heard[before + 1 : before + 20]])
        microphone.fault = None
        await until(lambda: source.stats().fault is None)
        assert float(np.abs(silent).max()) < 50
        assert set(steps) == {FRAME_SAMPLES}
        source.stop()

    asyncio.run(scenario())


class SleepyMicrophone(FakeMicrophone):
    """Does not answer until it is woken."""

    def __init__(self) -> None:
        super().__init__()
        self.awake = threading.Event()

    def open(self) -> None:
        self.awake.wait(5)
        super().open()


def test_silence_goes_out_evenly_while_a_microphone_does_not_answer_and_it_is_closed_with_the_rest() -> None:
    async def scenario() -> None:
        microphone, heard = SleepyMicrophone(), list[EncodedFrame]()
        source = SoundSource(asyncio.get_running_loop(), microphone)
        source.subscribe(heard.append)
        source.start()
        await until(lambda: len(heard) > 15)
        assert not source.opened.done()
        silent = decoded([frame.payload for frame in heard])
        microphone.awake.set()
        await until(lambda: source.stats().level_dbfs > -20)
        assert float(np.abs(silent).max()) < 50
        steps = np.diff([frame.timestamp for frame in heard])
        assert not (steps % FRAME_SAMPLES).any(), (
            "a machine that stands still for a moment leaves a gap of whole frames"
        )
        assert float(np.median(steps)) == FRAME_SAMPLES
        source.stop()

        microphone = SleepyMicrophone()
        source = SoundSource(asyncio.get_running_loop(), microphone)
        source.start()
        stopping = asyncio.create_task(asyncio.to_thread(source.stop))
        await until(source._stopping.is_set)
        microphone.awake.set()
        await stopping
        assert (microphone.opened, microphone.closed) == (1, 1)

    asyncio.run(scenario())


def test_a_microphone_that_opens_and_gives_nothing_stays_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound_module, "RETRY_S", 0.01)
    seen: list[bool] = []

    class Dumb(FakeMicrophone):
        def read(self) -> RawSound:
            seen.append(source.stats().fault is not None)
            raise DeviceError("microphone", "it gives nothing", "Check its cable")

    async def scenario() -> None:
        source.start()
        await until(lambda: len(seen) > 3)
        source.stop()
        assert seen[1:4] == [True, True, True]

    source = SoundSource(asyncio.new_event_loop(), Dumb())
    asyncio.run(scenario())


def test_a_microphone_that_is_known_to_be_unplugged_is_a_fault_until_it_is_back_and_is_not_opened_anew() -> (
    None
):
    async def scenario() -> None:
        microphone = FakeMicrophone()
        source = SoundSource(asyncio.get_running_loop(), microphone)
        source.start()
        await until(lambda: microphone.pieces > 3)
        microphone.missing = DeviceError("microphone", "it is unplugged", "Plug it in")
        await until(lambda: source.stats().fault is not None)
        microphone.missing = None
        await until(lambda: source.stats().fault is None)
        assert microphone.opened == 1
        source.stop()

    asyncio.run(scenario())
