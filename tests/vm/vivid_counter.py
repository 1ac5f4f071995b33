"""Reads the counter that the kernel's test camera writes into each of its pictures.

vivid's first line of text is ` HH:MM:SS:mmm N`: since when it streams, and the picture's number (Linux's
Documentation/admin-guide/media/vivid.rst, "on-screen display"). It is white on black in the console's font of 8x16
pixels, from (16, 16) on. What has been through an encoder and a smaller size is matched, not compared.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

GLYPHS = {
    "0": "0000386cc6c6d6d6c6c66c3800000000",
    "1": "00001838781818181818187e00000000",
    "2": "00007cc6060c183060c0c6fe00000000",
    "3": "00007cc606063c060606c67c00000000",
    "4": "00000c1c3c6cccfe0c0c0c1e00000000",
    "5": "0000fec0c0c0fc060606c67c00000000",
    "6": "00003860c0c0fcc6c6c6c67c00000000",
    "7": "0000fec606060c183030303000000000",
    "8": "00007cc6c6c67cc6c6c6c67c00000000",
    "9": "00007cc6c6c67e0606060c7800000000",
    ":": "00000000181800000018180000000000",
}
"""As read from its pictures, a byte for each row."""
CELL_PX = (16, 8)
LEFT, TOP, CELLS = 24, 16, 22
"""Behind the leading space; a number of eight digits fits."""
PART = (LEFT, TOP, LEFT + CELLS * CELL_PX[1], TOP + CELL_PX[0])
"""What is read of a picture that has been brought to the camera's own size: left, top, right, bottom."""
LEAST_MATCH = 0.55
FLAT = 20.0
"""Standard deviation, in levels of 255, below which a cell is empty."""
_LINE = re.compile(r"(\d\d):(\d\d):(\d\d):(\d\d\d) (\d+)(?: |$|\?)")

Levels = NDArray[np.float32]


class Reading(NamedTuple):
    """One picture's counter."""

    ms: int
    """Since the camera began to stream."""
    number: int


def read_counter(levels: Sequence[int]) -> Reading | None:
    """From the grey or green levels (0 to 255) of PART, row by row; None if not legible."""
    strip = np.asarray(levels, np.float32).reshape(CELL_PX[0], CELLS * CELL_PX[1])
    found = _LINE.match("".join(_character(strip[:, at * 8 : at * 8 + 8]) for at in range(CELLS)))
    if found is None:
        return None
    hours, minutes, seconds, ms, number = (int(text) for text in found.groups())
    return Reading(((hours * 60 + minutes) * 60 + seconds) * 1000 + ms, number)


def _character(cell: Levels) -> str:
    if float(cell.std()) < FLAT:
        return " "
    even = _even(cell)
    scores = {character: float((even * shape).sum()) for character, shape in _SHAPES.items()}
    best = max(scores, key=scores.__getitem__)
    return best if scores[best] >= LEAST_MATCH else "?"


def bitmap(character: str) -> Levels:
    """A character as its camera draws it, 0 or 1."""
    rows = bytes.fromhex(GLYPHS[character])
    return np.array([[row >> (7 - x) & 1 for x in range(8)] for row in rows], np.float32)


def _blurred(cell: Levels) -> Levels:
    wide = np.pad(cell, 1, mode="edge")
    across = wide[:, :-2] + 2 * wide[:, 1:-1] + wide[:, 2:]
    blurred: Levels = (across[:-2] + 2 * across[1:-1] + across[2:]) / 16
    return blurred


def _even(cell: Levels) -> Levels:
    level = cell - cell.mean()
    even: Levels = level / max(1e-6, float(np.linalg.norm(level)))
    return even


_SHAPES = {character: _even(_blurred(bitmap(character))) for character in GLYPHS}
