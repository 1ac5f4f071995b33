"""What a connection with a remote party is for. Pure values, known on both sides of the media's door."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PeerUse:
    """What a connection is for.

    sees: the party gets our picture; who does not is heard and hears alone. only_shows: it brings a screen or a
    document that a party shows, and nothing of ours goes out on it.
    """

    sees: bool = True
    only_shows: bool = False


EVERYTHING = PeerUse()
