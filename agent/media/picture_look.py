"""A picture in numbers: how light, how sharp, whether anything is to be seen at all. Pure; nothing of it is kept.

The luma plane is taken at its full size where sharpness is asked, and small for all else. Numbers are of a luma of
16 to 235 (ITU-R BT.601/709, narrow range).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.media.pixels import Plane

Grid = NDArray[np.float32]

SMALL_WIDTH = 80
"""Columns of a small picture, each the mean of a block: noise of single pixels is gone from it."""
NEARLY_BLACK, NEARLY_WHITE = 28, 228
FINE_WIDTH = 640
"""Columns of the picture in which edges are looked at."""
REACH, STEP = 20, 3
"""Blocks from one side of an edge to the other, and of one step of it."""
AROUND = 9
"""Blocks whose slope is taken for that of the light."""
CLEAR_EDGE = 16.0
"""Luma from one side to the other; noise of single pixels is some 2 in such blocks."""
EDGES = 0.005
"""Share of a picture's steps that is taken as its edges."""
MOVED_BY = 10.0
"""Luma by which a block has changed when something moved there; noise and flicker stay below."""
NOTHING_SEEN = 4.0
"""Luma over the clearest edges: a lens that is covered gives below 2, a room in an eighth of its light above 8."""
DARK, BRIGHT = 48.0, 215.0
"""Mean luma; 16 is black, 235 white."""


@dataclass(frozen=True, slots=True)
class PictureLook:
    """light: mean luma. structure: how much luma changes over the clearest edges of the small picture, beside the
    slope around. dark, bright: share of nearly black and nearly white blocks. sharpness: which part of a clear
    edge is climbed at once, 0 to 1, None where there is none. behind: how much lighter border than middle is.
    """

    light: float
    structure: float
    dark: float
    bright: float
    sharpness: float | None
    behind: float


def small(luma: Plane) -> Grid:
    """Means of square blocks, SMALL_WIDTH columns or fewer."""
    block = max(1, luma.shape[1] // SMALL_WIDTH)
    rows, columns = luma.shape[0] // block, luma.shape[1] // block
    cut = luma[: rows * block, : columns * block].reshape(rows, block, columns, block)
    means: Grid = cut.mean(axis=(1, 3), dtype=np.float32)
    return means


def look(luma: Plane, grid: Grid | None = None) -> PictureLook:
    """The numbers of one picture. grid: small(luma), if it is there already."""
    grid = small(luma) if grid is None else grid
    return PictureLook(
        light=float(grid.mean()),
        structure=_structure(grid),
        dark=float((grid < NEARLY_BLACK).mean()),
        bright=float((grid > NEARLY_WHITE).mean()),
        sharpness=sharpness(luma),
        behind=_behind(grid),
    )


def moved(one: Grid, other: Grid) -> float:
    """Share of blocks in which something moved between two small pictures; light that changed as a whole, as a
    camera's own control does, is taken out."""
    change = other - one
    return float((np.abs(change - np.median(change)) > MOVED_BY).mean())


def sharpness(luma: Plane) -> float | None:
    """See PictureLook. Of the clearest edges, the part of them that is climbed in STEP blocks."""
    block = max(1, round(luma.shape[1] / FINE_WIDTH))
    rows, columns = luma.shape[0] // (2 * block), luma.shape[1] // block
    cut = luma[: rows * 2 * block, : columns * block].reshape(rows, 2 * block, columns, block)
    lines = cut.mean(axis=(1, 3), dtype=np.float32)
    wide = np.abs(lines[:, REACH:] - lines[:, :-REACH])
    limit = float(np.quantile(wide, 1 - EDGES))
    if limit < CLEAR_EDGE:
        return None
    single = np.abs(lines[:, STEP:] - lines[:, :-STEP])
    steepest = np.max([single[:, at : at + wide.shape[1]] for at in range(REACH - STEP + 1)], axis=0)
    at_edges = wide >= limit
    return float(np.minimum(steepest[at_edges] / wide[at_edges], 1.0).mean())


def _structure(grid: Grid) -> float:
    across = _beside_its_like((grid[:, 2:] - grid[:, :-2]).T)
    down = _beside_its_like(grid[2:] - grid[:-2])
    return float(np.quantile(np.concatenate((across.ravel(), down.ravel())), 0.98))


def _beside_its_like(slope: Grid) -> Grid:
    """How much steeper it is than around it, along the first axis: light that falls off over a hand is steep
    too."""
    sums = np.cumsum(slope, axis=0)
    around = (sums[AROUND:] - sums[:-AROUND]) / AROUND
    steeper: Grid = np.abs(slope[AROUND // 2 + 1 : AROUND // 2 + 1 + len(around)] - around)
    return steeper


def _behind(grid: Grid) -> float:
    rows, columns = grid.shape
    middle = grid[rows // 4 :, columns // 3 : columns - columns // 3]
    upper, side = grid[: rows // 2], columns // 4
    border = np.concatenate((upper[:, :side].ravel(), upper[:, -side:].ravel()))
    return float(np.quantile(border, 0.75) - np.median(middle))
