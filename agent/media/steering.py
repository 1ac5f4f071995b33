"""Which party gets which encoding, and what each encoding is to be. Pure: times come in as arguments.

All parties with H.264 share one encoding as large as the slowest of them allows, until one is so much slower
than the best that a second, smaller encoding costs less than what it takes from the others. Never a third.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agent.media.ladder import Ladder
from agent.media.source import EncodingName, EncodingTarget

SLOW_SHARE = 0.6  # of the best party's rate: who has less is slow,
SLOW_AFTER_S = 0.5
FAST_SHARE = 0.8  # who has this much of the slowest party's on the full encoding comes back,
FAST_AFTER_S = 5.0
SPLIT_LEAST_BIT_RATE = 400_000  # below this for the best, two encodings make nobody's picture better
SMALL_WIDTH_MAX = 960


@dataclass(frozen=True, slots=True)
class PartyLine:
    """A connected party: whether it takes H.264, what its line leaves for pictures, and whether they wait."""

    takes_h264: bool
    bit_rate: int
    is_backed_up: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """encodings: the one each party gets. targets: of those in use. skips: for whom pictures come too fast."""

    encodings: Mapping[str, EncodingName]
    targets: Mapping[EncodingName, EncodingTarget]
    skips: frozenset[EncodingName]


class Steering:
    """start_bit_rate: of the full encoding, while only the self-view shows it. may_split: a small one can be
    had."""

    def __init__(self, start_bit_rate: int, *, may_split: bool) -> None:
        self._start_bit_rate, self._may_split = start_bit_rate, may_split
        self._small: set[str] = set()
        self._since: dict[str, float] = {}
        self._ladders: dict[EncodingName, Ladder] = {
            "full": Ladder(),
            "small": Ladder(SMALL_WIDTH_MAX),
            "vp8": Ladder(),
        }

    def plan(self, parties: Mapping[str, PartyLine], now: float) -> Plan:
        """The plan for these parties at `now` (seconds)."""
        self._assign({name: line.bit_rate for name, line in parties.items() if line.takes_h264}, now)
        encodings = {name: self._encoding(name, line) for name, line in parties.items()}
        targets: dict[EncodingName, EncodingTarget] = {}
        skips: set[EncodingName] = set()
        for encoding in ("full", "small", "vp8"):
            given_it = [name for name, given in encodings.items() if given == encoding]
            if not given_it and encoding != "full":
                continue
            lines = [parties[name] for name in given_it]
            # Who is about to get the small encoding takes nothing from the others even for this moment.
            staying = [parties[name] for name in given_it if name in self._small or name not in self._since]
            rate = min((line.bit_rate for line in staying or lines), default=self._start_bit_rate)
            targets[encoding] = self._ladders[encoding].target(rate, now)
            if lines and all(line.is_backed_up for line in lines):
                skips.add(encoding)
        return Plan(encodings, targets, frozenset(skips))

    def _encoding(self, name: str, line: PartyLine) -> EncodingName:
        if not line.takes_h264:
            return "vp8"
        return "small" if name in self._small else "full"

    def _assign(self, rates: Mapping[str, int], now: float) -> None:
        self._small &= rates.keys()
        self._since = {name: since for name, since in self._since.items() if name in rates}
        full = {name: rate for name, rate in rates.items() if name not in self._small}
        best = max(rates.values(), default=0)
        for name, rate in rates.items():
            if name in self._small:
                others = min(full.values(), default=0)
                self._move(name, rate >= FAST_SHARE * others, FAST_AFTER_S if full else 0.0, now)
            elif self._may_split:
                slow = best >= SPLIT_LEAST_BIT_RATE and rate < SLOW_SHARE * best
                self._move(name, slow, SLOW_AFTER_S, now)

    def _move(self, name: str, wanted: bool, after_s: float, now: float) -> None:
        if not wanted:
            self._since.pop(name, None)
        elif now - self._since.setdefault(name, now) >= after_s:
            del self._since[name]
            self._small ^= {name}
