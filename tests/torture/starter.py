"""What `make run` starts, however often the unit is killed."""

from __future__ import annotations

import sys

from provisioning import local, local_parts

if __name__ == "__main__":
    local_parts.RESTARTS_IN_A_ROW = sys.maxsize
    local_parts.RESTART_AFTER_S = 0.05
    sys.exit(local.main())
