"""`make recovery`: how long a call takes to notice that its line is gone, and to come back. Needs root."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from tests.recovery.cases import all_cases
from tests.recovery.figures import table
from tests.recovery.room import call_on
from tests.system.network import why_not


def main() -> int:
    """Play the cases and print the table; 1 if a call did not come back."""
    parser = argparse.ArgumentParser(prog="make recovery", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", type=Path, help="write every round's figures to this file")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cases", default="", help="only cases whose name holds one of these, split by ;")
    options = parser.parse_args()
    reason = why_not()
    if reason:
        sys.stderr.write(f"The recovery bench cannot run: {reason}.\n")
        return 2
    wanted = [text.strip() for text in options.cases.split(";") if text.strip()]
    cases = [case for case in all_cases() if not wanted or any(text in case.name for text in wanted)]
    rounds = []
    with tempfile.TemporaryDirectory(prefix="recovery-") as folder, call_on(Path(folder)) as call:
        for _ in range(options.rounds):
            for case in cases:
                played = call.play(case)
                rounds.append(played)
                sys.stdout.write(f"{json.dumps(played.as_dict(), ensure_ascii=False)}\n")
                sys.stdout.flush()
    sys.stdout.write(f"\n{table(rounds)}\n")
    if options.json:
        options.json.write_text(json.dumps([played.as_dict() for played in rounds], indent=1))
    return 0 if all(played.back_s is not None for played in rounds) else 1


if __name__ == "__main__":
    sys.exit(main())
