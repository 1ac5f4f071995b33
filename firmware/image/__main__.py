"""`python -m firmware.image --board vm`: what `make image BOARD=vm` runs."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from subprocess import CalledProcessError

from firmware.image.build import build
from firmware.image.job import prepare


def main(arguments: list[str] | None = None) -> int:
    """Build one image; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m firmware.image", description=__doc__)
    parser.add_argument("--board", required=True, help="vm, x86, pi4 or pi5")
    parser.add_argument("--out", type=Path, default=Path("build"), help="folder of image and caches")
    given = parser.parse_args(arguments)
    if os.geteuid() != 0:
        print("image: files of many owners are laid down; run it as root", file=sys.stderr)
        return 1
    try:
        build(prepare(given.board, Path(__file__).parents[2], given.out.absolute()))
    except (ValueError, RuntimeError, OSError, CalledProcessError) as error:
        print(f"image: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
