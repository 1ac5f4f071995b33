"""provisioning.local for a room whose devices are files that the bench changes.

The unit knows the region by a name, has the board and the folders of the bench, and runs with a clock that can
be put wrong.

`HALSORUM_BENCH_UNIT`: a JSON of settings that the unit's file gets beside its own.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from provisioning import local
from provisioning.pki import Authority

NAME = "region.halsorum.test"
PORT = 18883
"""Where the late line is (late_line.py), on the way to the broker."""
UNIT_SETTINGS = "HALSORUM_BENCH_UNIT"
AGENT = "tests.bench.selftest.agent_process"


def install() -> None:
    """Lay ours over what `make run` does."""
    server, address, write_toml, part = Authority.server, local.BrokerAddress, local.write_toml, local.Part
    more = json.loads(os.environ[UNIT_SETTINGS])

    def named(self, hosts=(), folder=None):
        return server(self, [*hosts, NAME], folder)

    def writing(file: Path, values, **tables):
        if file.name != "unit.toml":
            return write_toml(file, values, **tables)
        return write_toml(file, values | {"broker_host": NAME} | more, **tables)

    def starting(name, command, *rest):
        if name == "unit":
            command = [AGENT if word == "agent" else word for word in command]
        return part(name, command, *rest)

    Authority.server = named
    local.BrokerAddress = lambda host, port: address(host=NAME, port=PORT)
    local.write_toml, local.Part = writing, starting


if __name__ == "__main__":
    install()
    sys.exit(local.main())
