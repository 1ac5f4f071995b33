"""Sample messages, which the tests of both sides run: a topic, a message and, if bad, a field."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Sample:
    """A message as it stands on the wire. `field` is what a ContractError must name; None: it is good."""

    name: str
    topic: str
    message: Any
    field: str | None = None

    @property
    def payload(self) -> bytes:
        """The message's bytes."""
        return json.dumps(self.message).encode()


def load(which: Literal["ok", "bad"]) -> tuple[Sample, ...]:
    """All good or all bad samples, by name."""
    folder = resources.files(__name__) / which
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".json")), key=lambda f: f.name)
    return tuple(
        Sample(file.name.removesuffix(".json"), **json.loads(file.read_text("utf-8"))) for file in files
    )
