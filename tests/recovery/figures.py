"""From what the pages noted to figures: when a loss was noticed and said, and when all was back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from statistics import median
from typing import Any

SIDES = ("touchscreen", "clinician")
SAID = frozenset({"reconnecting", "lost"})
"""What a page calls a line that does not carry."""

GAP_MS = 1000
"""Nothing for so long is a gap: the clinician's tone is pulsed, and pages that share two processors stall."""

Notes = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """One side of one case. Seconds: noticed from the loss, the others from the return; None: not at all."""

    noticed_s: float | None
    said: str
    told_to_call_s: float | None
    picture_s: float | None
    sound_s: float | None
    fine_s: float | None


@dataclass(frozen=True, slots=True)
class Played:
    """One case as it went."""

    case: str
    sides: Mapping[str, Seen]

    @property
    def back_s(self) -> float | None:
        """From the return until picture and sound had come on both sides."""
        times = [value for side in self.sides.values() for value in (side.picture_s, side.sound_s)]
        return None if None in times else max(time for time in times if time is not None)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "case": self.case,
            "back_s": self.back_s,
            **{name: asdict(side) for name, side in self.sides.items()},
        }


def seen(notes: Notes, lost_at_ms: float, back_at_ms: float, end_at_ms: float) -> Seen:
    """What one page saw and said. Unix times in ms."""
    words = notes["words"]
    after_loss = [(at, said) for at, said in words if at >= lost_at_ms]
    noticed = next(((at, said) for at, said in after_loss if said["line"] in SAID), None)
    called = next((at for at, said in after_loss if said["line"] == "lost"), None)
    return Seen(
        noticed_s=_seconds(noticed[0] if noticed else None, lost_at_ms),
        said=noticed[1]["text"] if noticed else "",
        told_to_call_s=_seconds(called, lost_at_ms),
        picture_s=resumed_s(notes["pictures"], lost_at_ms, back_at_ms, end_at_ms),
        sound_s=resumed_s(notes["sounds"], lost_at_ms, back_at_ms, end_at_ms),
        fine_s=_fine(words, back_at_ms),
    )


def resumed_s(
    times_ms: Sequence[float], lost_at_ms: float, back_at_ms: float, end_at_ms: float
) -> float | None:
    """When the last gap since the loss ended; 0 if there was none after the return, None if it never ended."""
    times = [lost_at_ms, *(time for time in times_ms if time >= lost_at_ms)]
    ends = [later for earlier, later in pairwise(times) if later - earlier > GAP_MS]
    if times[-1] < max(back_at_ms, end_at_ms - 2 * GAP_MS):
        return None
    return max(0.0, round((ends[-1] - back_at_ms) / 1000, 2)) if ends else 0.0


def _fine(words: Sequence[tuple[float, Mapping[str, str]]], back_at_ms: float) -> float | None:
    """When the page last stopped to say that the line is broken; 0 if it did not say it after the return."""
    last_bad = max((index for index, (_, said) in enumerate(words) if said["line"] in SAID), default=None)
    if last_bad is None:
        return 0.0
    if last_bad + 1 >= len(words):
        return None
    return _seconds(max(words[last_bad + 1][0], back_at_ms), back_at_ms)


def _seconds(at_ms: float | None, since_ms: float) -> float | None:
    return None if at_ms is None else round((at_ms - since_ms) / 1000, 2)


def table(rounds: Sequence[Played]) -> str:
    """One line per case: medians over its rounds, the worst of `back` beside it."""
    cases = list(dict.fromkeys(played.case for played in rounds))
    head = (
        f"{'case':<34}{'n':>2}  {'noticed after s':>15}  {'call page s':>13}  {'picture back s':>14}"
        f"  {'sound back s':>13}  {'words gone s':>13}  {'two-way s (worst)':>17}"
    )
    unit = f"{'':<36}  {'room / clinic':>15}  {'room / clinic':>13}  {'room / clinic':>14}"
    lines = [head, f"{unit}  {'room / clinic':>13}  {'room / clinic':>13}"]
    for case in cases:
        here = [played for played in rounds if played.case == case]
        backs = [played.back_s for played in here]
        worst = "never" if None in backs else f"{max(back for back in backs if back is not None):.1f}"
        cells = [
            " / ".join(_median([getattr(played.sides[side], name) for played in here]) for side in SIDES)
            for name in ("noticed_s", "told_to_call_s", "picture_s", "sound_s", "fine_s")
        ]
        lines.append(
            f"{case:<34}{len(here):>2}  {cells[0]:>15}  {cells[1]:>13}  {cells[2]:>14}  {cells[3]:>13}"
            f"  {cells[4]:>13}  {_median(backs) + f' ({worst})':>17}"
        )
    return "\n".join(lines)


def _median(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    return "-" if len(known) < len(values) or not known else f"{median(known):.1f}"
