"""What `make run` starts, with an agent that can be asked what it holds (tests/soak/agent_process.py)."""

from __future__ import annotations

import sys

from provisioning import local
from provisioning.local_parts import Part, Parts

ASKED = "tests.soak.agent_process"


class WithAskedAgent(Parts):
    """The same parts, but for the unit's program."""

    def start(self, part: Part) -> None:
        if part.name == "unit":
            part.command = [ASKED if word == "agent" else word for word in part.command]
        super().start(part)


if __name__ == "__main__":
    local.Parts = WithAskedAgent  # type: ignore[misc]
    sys.exit(local.main())
