"""A clock that machines read, drawn along the top of the picture to measure latency from camera to page.

One row of 32 cells over the whole width. A cell is width/32 wide and height/18 high (40x40 pixels at
1280x720), so the row survives scaling, and each cell is larger than a macroblock down to 640x360. A white
cell is 1, a black one 0.

    cell   0  1 | 2 ... 25               | 26 ... 29 | 30 31
    value  1  0 | 24 bits, highest first | check     | 0  1

The bits are Unix time in milliseconds modulo 2**24 (4 h 39 min). The check is 0b1010 exclusive-or each of the
six nibbles. A cell is judged by the mean of its middle half; one that is neither clearly black nor clearly
white, a wrong frame of markers or a wrong check make the reader answer None: a smeared picture is no
measurement. tests/bench/clock_pattern.js reads the same in a page.
"""

from __future__ import annotations

import numpy as np

from agent.media.pixels import BLACK_LUMA, NEUTRAL_CHROMA, WHITE_LUMA, Plane

CELLS = 32
ROWS_IN_HEIGHT = 18
MODULO_MS = 1 << 24
DARKEST_WHITE = 160
LIGHTEST_BLACK = 96
CHECK_SEED = 0b1010


def draw_clock(luma: Plane, blue: Plane, red: Plane, unix_ms: int) -> None:
    """Draw unix_ms into the planes of a yuv420p picture, in place."""
    height, width = luma.shape
    row_height = height // ROWS_IN_HEIGHT
    cell_of_column = np.arange(width) * CELLS // width
    levels = np.where(_bits(unix_ms % MODULO_MS), WHITE_LUMA, BLACK_LUMA).astype(np.uint8)
    luma[:row_height] = levels[cell_of_column]
    blue[: row_height // 2] = NEUTRAL_CHROMA
    red[: row_height // 2] = NEUTRAL_CHROMA


def read_clock(luma: Plane) -> int | None:
    """Milliseconds modulo 2**24 found in a picture's luma, or None if there is no whole clock in it."""
    height, width = luma.shape
    row_height, cell_width = height / ROWS_IN_HEIGHT, width / CELLS
    rows = luma[int(row_height / 4) : max(int(row_height / 4) + 1, int(row_height * 3 / 4))]
    bits: list[int] = []
    for cell in range(CELLS):
        left = int((cell + 0.25) * cell_width)
        mean = float(rows[:, left : max(left + 1, int((cell + 0.75) * cell_width))].mean())
        if LIGHTEST_BLACK < mean < DARKEST_WHITE:
            return None
        bits.append(int(mean >= DARKEST_WHITE))
    value = int("".join(map(str, bits[2:26])), 2)
    return value if bits == _bits(value) else None


def clock_age_ms(value: int, unix_ms: int) -> int:
    """How many milliseconds before unix_ms a clock showed value, taken within half of the modulus."""
    age = (unix_ms - value) % MODULO_MS
    return age - MODULO_MS if age > MODULO_MS // 2 else age


def _bits(value: int) -> list[int]:
    check = CHECK_SEED
    for shift in range(0, 24, 4):
        check ^= (value >> shift) & 0xF
    digits = f"10{value:024b}{check:04b}01"
    return [int(digit) for digit in digits]
