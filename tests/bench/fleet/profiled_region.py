"""The region with cProfile on its worker thread, for whoever wants to know where the time goes (--profile)."""

from __future__ import annotations

import cProfile
import sys
from pathlib import Path

from provisioning import server
from provisioning.region import Region


def main() -> None:
    """As provisioning.server, with `--profile FILE` at the end; written when the region stops."""
    *arguments, _, file = sys.argv[1:]
    worker, stop = Region._work, Region.stop
    profile = cProfile.Profile()

    def work(region: Region) -> None:
        profile.runcall(worker, region)

    def stopped(region: Region) -> None:
        stop(region)
        profile.dump_stats(Path(file))

    Region._work, Region.stop = work, stopped  # type: ignore[method-assign]
    server.main(arguments)


if __name__ == "__main__":
    main()
