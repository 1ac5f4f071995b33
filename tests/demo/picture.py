"""Makes a screenshot small enough to live among the sources."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

MOST_BYTES = 400_000


def shrink(file: Path) -> None:
    """Fewer colours, as few as it takes, and dithered; raises ValueError if even 32 are too many."""
    with Image.open(file) as shot:
        picture = shot.convert("RGB")
    for colours in (256, 192, 128, 64, 32):
        palette = picture.quantize(colours)
        picture.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG).save(file, optimize=True)
        if file.stat().st_size <= MOST_BYTES:
            return
    raise ValueError(f"{file} cannot be made smaller than {MOST_BYTES} bytes")
