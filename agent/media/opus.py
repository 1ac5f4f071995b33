"""Opus for voice, with as much in-band forward error correction as the line's loss calls for.

libopus takes the expected loss through FFmpeg only when it is opened. So losses come in a few classes, and a
new class opens a new encoder, which is first given the sound just sent: its look-ahead and its predictions
then go on where the old one's ended, and the receiver's decoder notices nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from av import AudioFrame
from av.audio.codeccontext import AudioCodecContext
from av.codec.context import CodecContext

from agent.media.device import Samples
from agent.media.source import AUDIO_CLOCK_RATE_HZ

# Complexity 5 of 10 costs a third less than 10 (measured) and is what telephones use for speech.
OPUS_OPTIONS = {
    "application": "voip",
    "frame_duration": "20",
    "fec": "1",
    "vbr": "constrained",
    "compression_level": "5",
}
CALMER_AFTER_S = 10.0  # a line that lost packets just now will lose some again
CALMER_SHARE = 0.7  # and has to be clearly better, so that nothing swings between two classes


@dataclass(frozen=True, slots=True)
class LossClass:
    """From which share of lost packets on, what libopus is told (percent), and the bitrate (bit/s).

    libopus makes the second, coarser copy of the packet before finer with a higher percentage, out of the
    same bitrate; so that grows along, and the voice itself stays as it was.
    """

    from_fraction: float
    percent: int
    bit_rate: int


# Below 36 kbit/s and 10 % libopus leaves the copy out altogether (measured), and then the first packets
# that a clean line loses are heard: so the copy is always there, at first as a coarse one.
LOSS_CLASSES = (
    LossClass(0.0, 1, 36_000),
    LossClass(0.015, 8, 38_000),
    LossClass(0.06, 15, 42_000),
    LossClass(0.15, 30, 46_000),
)


class ExpectedLoss:
    """Chooses the class: worse at once, better only after ten seconds that were clearly better."""

    def __init__(self) -> None:
        self._index = 0
        self._calm_since: float | None = None

    @property
    def loss_class(self) -> LossClass:
        """The class that holds now."""
        return LOSS_CLASSES[self._index]

    def update(self, fraction: float, now: float) -> LossClass:
        """Take the share of packets lost lately (0 to 1) at `now` (seconds), and give the class."""
        fitting = max(n for n, each in enumerate(LOSS_CLASSES) if n == 0 or fraction >= each.from_fraction)
        if fitting > self._index:
            self._index, self._calm_since = fitting, None
        elif fraction >= self.loss_class.from_fraction * CALMER_SHARE:
            self._calm_since = None
        elif self._calm_since is None:
            self._calm_since = now
        elif now - self._calm_since >= CALMER_AFTER_S:
            self._index, self._calm_since = self._index - 1, now
        return self.loss_class


class OpusEncoder:
    """Opus, mono, 20 ms, for voice, with in-band forward error correction (RFC 6716, RFC 7587)."""

    def __init__(self, loss_class: LossClass = LOSS_CLASSES[0]) -> None:
        self.loss_class = loss_class
        self._context = _open(loss_class)
        self._samples = 0
        self._last: Samples | None = None

    def expect(self, loss_class: LossClass) -> None:
        """Go on with another class; the next packet follows without a gap."""
        if loss_class == self.loss_class:
            return
        self.loss_class = loss_class
        self._context = _open(loss_class)
        self._samples = 0
        if self._last is not None:
            self._encoded(self._last)

    def encode(self, samples: Samples) -> bytes:
        """One Opus packet of 960 samples."""
        self._last = samples
        return self._encoded(samples)

    def _encoded(self, samples: Samples) -> bytes:
        frame = AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = AUDIO_CLOCK_RATE_HZ
        frame.pts = self._samples
        self._samples += len(samples)
        return b"".join(bytes(packet) for packet in self._context.encode(frame))


def has_copy_of_previous(packet: bytes) -> bool:
    """Whether a mono packet of 20 ms carries forward error correction for the one before it.

    RFC 6716 section 3.1: configurations from 16 on are CELT alone, which has none; section 4.2.3: SILK's
    first bits are one for voice activity and then the LBRR flag.
    """
    return len(packet) > 1 and packet[0] >> 3 < 16 and bool(packet[1] & 0x40)


def _open(loss_class: LossClass) -> AudioCodecContext:
    context = CodecContext.create("libopus", "w")
    assert isinstance(context, AudioCodecContext)
    context.sample_rate = AUDIO_CLOCK_RATE_HZ
    context.format = "s16"
    context.layout = "mono"
    context.bit_rate = loss_class.bit_rate
    context.time_base = Fraction(1, AUDIO_CLOCK_RATE_HZ)
    context.options = {**OPUS_OPTIONS, "packet_loss": str(loss_class.percent)}
    context.open()
    return context
