"""`halsorum`: one command for both sides. What asks the unit's own devices is here, the rest is the region's."""

from __future__ import annotations

import sys

UNIT_COMMANDS = ("encoders", "camera")
BOARD_COMMAND = "board"
SELFTEST_COMMAND = "selftest"
IDENTITY_COMMANDS = ("prepare", "identity")


def main(arguments: list[str] | None = None) -> None:
    """Run a command of the unit or of the region; exit codes as they set them."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    command = next((argument for argument in given if not argument.startswith("-")), None)
    if command in UNIT_COMMANDS:
        from agent.cli import main as unit_main  # late: each side loads only what it needs

        sys.exit(unit_main(given))
    if command == BOARD_COMMAND:
        from agent.cli_board import main as board_main

        sys.exit(board_main(given))
    if command == SELFTEST_COMMAND:
        from agent.cli_selftest import main as selftest_main

        sys.exit(selftest_main(given))
    if command in IDENTITY_COMMANDS:
        from agent.cli_identity import main as identity_main

        sys.exit(identity_main(given))
    from provisioning.cli import main as region_main

    region_main(given)


if __name__ == "__main__":
    main()
