"""What a trial hears in rooms made by code: loudspeaker, air, microphone, canceller, and other noises."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from agent.media.chirp import chirps
from agent.media.heard import RINGS_S, Devices, Heard
from agent.media.speech import speech_loop
from tests.bench.echo.rooms import RATE_HZ, Room, Wave, response

LISTENS_S = 1.5
STARTS_S = 0.08
CARD = Devices("card", cancels=True, play_delay_ms=30.0)


@dataclass(frozen=True)
class Made:
    """One trial. loudspeaker_db and microphone_db: gains; background: other sounds, of so many samples;
    canceller_db: what is taken out of the chirp, None without; muffled: something before the microphone."""

    reverberation_s: float = 0.4
    delay_s: float = 0.03
    loudspeaker_db: float = -15.0
    microphone_db: float = 0.0
    canceller_db: float | None = 20.0
    background: Callable[[int, np.random.Generator], Wave] = field(default=lambda n, _: np.zeros(n))
    noise_dbfs: float = -62.0
    hum_dbfs: float | None = None
    muffled: bool = False
    chirp: bool = True
    devices: Devices = CARD
    seed: int = 0

    def heard(self) -> Heard:
        """As int16, through a microphone that clips."""
        chance = np.random.default_rng(self.seed)
        quiet_count, sound = round(LISTENS_S * RATE_HZ), chirps()
        count = round((STARTS_S + RINGS_S) * RATE_HZ) + len(sound) if self.chirp else 0
        played = np.zeros(count)
        if self.chirp:
            start = round(STARTS_S * RATE_HZ)
            played[start : start + len(sound)] = sound
        echo = self._echo(played)
        around = self._around(quiet_count + count, chance)
        raw = around.copy()
        raw[quiet_count:] += echo
        behind = around[quiet_count:] + echo * 10 ** (-(self.canceller_db or 0.0) / 20)
        return Heard(
            self.devices,
            self._captured(raw[:quiet_count]),
            _whole(played),
            self._captured(raw)[quiet_count:],
            self._captured(behind) if self.canceller_db is not None else None,
        )

    def _echo(self, played: Wave) -> Wave:
        if not len(played):
            return played
        air = response(Room("", self.delay_s, self.reverberation_s, 0.0, 0.0, self.seed))
        size = 1 << (len(played) + len(air)).bit_length()
        wave = np.fft.irfft(np.fft.rfft(played, size) * np.fft.rfft(air, size), size)[: len(played)]
        return wave * 10 ** (self.loudspeaker_db / 20)

    def _around(self, count: int, chance: np.random.Generator) -> Wave:
        wave = ventilation(count, chance, self.noise_dbfs) + self.background(count, chance)
        if self.hum_dbfs is not None:
            t = np.arange(count) / RATE_HZ
            for number, level in ((1, 1.0), (2, 0.6), (3, 0.4), (5, 0.2)):
                amplitude = level * 10 ** (self.hum_dbfs / 20) * np.sqrt(2)
                wave = wave + amplitude * np.sin(2 * np.pi * 50 * number * t + number)
        return wave

    def _captured(self, wave: Wave) -> np.ndarray:
        if self.muffled and len(wave):
            size = 1 << len(wave).bit_length()
            hz = np.fft.rfftfreq(size, 1 / RATE_HZ)
            wave = np.fft.irfft(np.fft.rfft(wave, size) / (1 + (hz / 500) ** 2))[: len(wave)]
        return _whole(wave * 10 ** (self.microphone_db / 20))


def ventilation(count: int, chance: np.random.Generator, dbfs: float) -> Wave:
    """Noise that falls by 6 dB an octave above some 150 Hz, and a little of all frequencies."""
    size = 1 << count.bit_length()
    hz = np.fft.rfftfreq(size, 1 / RATE_HZ)
    spectrum = np.fft.rfft(chance.standard_normal(size)) * (1 / (1 + hz / 150) + 0.02)
    return _at(np.fft.irfft(spectrum)[:count], dbfs)


def speech(dbfs: float) -> Callable[[int, np.random.Generator], Wave]:
    """Somebody speaks."""

    def made(count: int, chance: np.random.Generator) -> Wave:
        loop = speech_loop(seed=int(chance.integers(1, 9))) / 32768
        return _at(np.roll(np.resize(loop, count), int(chance.integers(0, count))), dbfs)

    return made


def traffic(dbfs: float) -> Callable[[int, np.random.Generator], Wave]:
    """A lorry goes by: rumble that swells, with the lines of its engine."""

    def made(count: int, chance: np.random.Generator) -> Wave:
        t = np.arange(count) / RATE_HZ
        swell = 0.3 + np.sin(np.pi * t / t[-1] * chance.uniform(0.5, 2)) ** 2
        hz = chance.uniform(25, 70) * (1 + 0.05 * np.sin(2 * np.pi * 0.3 * t))
        engine = sum(np.sin(2 * np.pi * np.cumsum(hz) * n / RATE_HZ) / n for n in (1, 2, 3, 4))
        return _at(swell * (engine + ventilation(count, chance, 0.0) * 2), dbfs)

    return made


def knocks(dbfs: float) -> Callable[[int, np.random.Generator], Wave]:
    """Doors, a chair, a keyboard: short, and far louder than their level over all."""

    def made(count: int, chance: np.random.Generator) -> Wave:
        wave = np.zeros(count)
        for at in chance.integers(0, count - 9600, 6):
            knock = chance.standard_normal(9600) * np.exp(-np.arange(9600) / chance.uniform(200, 1500))
            wave[at : at + 9600] += knock * chance.uniform(0.2, 1)
        return _at(wave, dbfs)

    return made


def tone(hz: float, dbfs: float) -> Callable[[int, np.random.Generator], Wave]:
    """A device that whistles."""
    return lambda count, _: _at(np.sin(2 * np.pi * hz * np.arange(count) / RATE_HZ), dbfs)


def _at(wave: Wave, dbfs: float) -> Wave:
    return wave * 10 ** (dbfs / 20) / max(1e-9, float(np.sqrt(np.mean(wave**2))))


def _whole(wave: Wave) -> np.ndarray:
    return np.clip(np.round(wave * 32768), -32768, 32767).astype(np.int16)
