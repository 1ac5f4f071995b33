"""Where a camera points, as some numbers from which no picture can be made. Pure.

The picture is cut into CELLS; of each is kept which way its edges run, doubled so that an edge from light to
dark is the same as one from dark to light, and how clear they are beside the others. It holds no light, no colour
and no place finer than an eighth of the picture, and each number is one of 33.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agent.media.picture_look import Grid

CELLS = (4, 8)
"""Rows and columns; two numbers each."""
STEPS = 16
"""A number lies in -STEPS to STEPS."""
LEAST_EDGE = 3.0
"""Luma; smaller ones are noise or smooth light."""

View = tuple[int, ...]


def view(grid: Grid) -> View:
    """64 numbers of a small picture (agent.media.picture_look.small)."""
    across = grid[1:-1, 2:] - grid[1:-1, :-2]
    down = grid[2:, 1:-1] - grid[:-2, 1:-1]
    strength = np.hypot(across, down)
    clear = np.where(strength > LEAST_EDGE, strength, 0.0)
    turned = np.exp(2j * np.arctan2(down, across)) * np.sqrt(clear)
    rows, columns = CELLS
    cells = [
        part.mean() for band in np.array_split(turned, rows) for part in np.array_split(band, columns, axis=1)
    ]
    loudest = max((abs(cell) for cell in cells), default=0.0) or 1.0
    return tuple(
        round(STEPS * part / loudest) for cell in cells for part in (float(cell.real), float(cell.imag))
    )


def agreement(one: Sequence[float], other: Sequence[float]) -> float:
    """From -1 to 1; 1 is the same view, about 0 another one. Cells agree or not one by one, so that a person who
    sits in some of them changes little."""
    first, second = _as_cells(one), _as_cells(other)
    weights = np.minimum(np.abs(first), np.abs(second)) + 0.25 * np.maximum(np.abs(first), np.abs(second))
    if not weights.any():
        return 0.0
    lengths = np.maximum(np.abs(first) * np.abs(second), 1e-9)
    return float(np.average((first * second.conjugate()).real / lengths, weights=weights))


def _as_cells(numbers: Sequence[float]) -> np.ndarray[tuple[int, ...], np.dtype[np.complex128]]:
    pairs = np.asarray(numbers, np.float64).reshape(-1, 2)
    return pairs[:, 0] + 1j * pairs[:, 1]
