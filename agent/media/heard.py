"""What one trial of a room's sound brought: devices, and what was played and heard.

Kept for no longer than it takes to make numbers of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from agent.media.device import Samples

RINGS_S = 0.6
"""How long is listened to after the last sound: as late as it may come back."""


@dataclass(frozen=True, slots=True)
class Devices:
    """What is known of them without a sound. output: its name, empty where none is plugged in. Volumes:
    PipeWire's, 1 being full; 0 is muted.

    cancels: an echo canceller of ours is between them, which is told what is played so many ms later.
    """

    output: str
    output_volume: float = 1.0
    microphone_volume: float = 1.0
    cancels: bool = False
    play_delay_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Heard:
    """Mono at 48 kHz. quiet: the microphone before anything was played. played (what went to the output), raw (the
    microphone itself) and cancelled (what the call hears) begin together, and are empty where nothing was played.

    cancelled is None where no canceller is at work; devices is where this board has no loudspeaker to be heard.
    """

    devices: Devices | None
    quiet: Samples
    played: Samples
    raw: Samples
    cancelled: Samples | None = None
