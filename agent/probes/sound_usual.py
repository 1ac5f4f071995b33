"""What a room's sound usually is: a handful of numbers, from which no sound can be made. Pure."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields, replace

FOLLOWS = 1 / 8
"""How much of what a test found goes into what is usual: a week of nights."""


@dataclass(frozen=True, slots=True)
class UsualSound:
    """gain_db, treble_db: of the way from loudspeaker to microphone (agent.media.chirp.Echo); hiss_dbfs: the
    microphone's own noise; volumes: PipeWire's, in dB."""

    gain_db: float
    treble_db: float
    hiss_dbfs: float
    output_volume_db: float = 0.0
    microphone_volume_db: float = 0.0

    def follow(self, found: UsualSound) -> UsualSound:
        """A little nearer to what was found."""
        return replace(
            self,
            **{
                each.name: round(old + FOLLOWS * (getattr(found, each.name) - old), 2)
                for each in fields(self)
                for old in (getattr(self, each.name),)
            },
        )

    def kept(self) -> bytes:
        """As it is kept on the unit."""
        return json.dumps(asdict(self)).encode()


def usual_from(kept: bytes | None) -> UsualSound | None:
    """As kept() made it; None where nothing is, or another release's."""
    try:
        values = json.loads(kept or b"null")
        found = UsualSound(**{str(key): float(value) for key, value in values.items()})
    except (ValueError, TypeError, AttributeError):
        return None
    return found if all(math.isfinite(each) for each in asdict(found).values()) else None
