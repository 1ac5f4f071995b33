"""The course of resident memory as a picture, or as text where the plotting library is not installed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.soak.verdict import Part, course


def write_plot(parts: Sequence[Part], folder: Path) -> None:
    """soak.txt always, soak.png if it can be."""
    (folder / "soak.txt").write_text("".join(f"{part.name}: {course(part.samples)}\n" for part in parts))
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return
    figure = Figure(figsize=(10, 3 * max(1, len(parts))), layout="constrained")
    for place, part in enumerate(parts, start=1):
        axes = figure.add_subplot(len(parts), 1, place)
        minutes = [sample.at_s / 60 for sample in part.samples]
        axes.plot(minutes, [sample.rss_mib for sample in part.samples], label="resident")
        axes.plot(minutes, [sample.private_mib for sample in part.samples], label="private")
        if part.settled:
            axes.axvline(part.settled[0].at_s / 60, linestyle=":", color="grey")
        axes.set(title=part.name, xlabel="min", ylabel="MiB")
        axes.legend()
    figure.savefig(folder / "soak.png", dpi=100)
