"""How much of what was sent is seen: SSIM of the luma, by FFmpeg's filter `ssim`, through PyAV.

Both are compared at the size that was sent, since that is the picture somebody fills a screen with: what arrives
smaller is scaled up by FFmpeg (bicubic). The rows with clock and number are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean
from typing import Any

import av
import numpy as np
from av.filter import Graph
from numpy.typing import NDArray

from tests.bench.net.footage import bottom_rows
from tests.bench.net.site import Sample

Luma = NDArray[np.uint8]


def ssim(arrived: Luma, sent: Luma) -> float:
    """0 to 1; both of one size."""
    height, width = sent.shape
    graph: Any = Graph()
    inputs = [
        graph.add("buffer", f"video_size={width}x{height}:pix_fmt=gray:time_base=1/25:pixel_aspect=1/1")
        for _ in range(2)
    ]
    judge, sink = graph.add("ssim"), graph.add("buffersink")
    for place, source in enumerate(inputs):
        source.link_to(judge, 0, place)
    judge.link_to(sink)
    graph.configure()
    for source, luma in zip(inputs, (arrived, sent), strict=True):
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(luma), format="gray")
        frame.pts = 0
        source.push(frame)
        source.push(None)
    return float(sink.pull().metadata["lavfi.ssim.All"])


def likeness(samples: Sequence[Sample], film: Sequence[Luma]) -> float | None:
    """Mean SSIM of the samples against the film's pictures of their numbers; None of nothing."""
    values = [ssim(*(_inner(luma) for luma in pair)) for pair in _pairs(samples, film)]
    return mean(values) if values else None


def _pairs(samples: Sequence[Sample], film: Sequence[Luma]) -> list[tuple[Luma, Luma]]:
    return [
        (_scaled(each.luma, film[each.number]), film[each.number])
        for each in samples
        if each.number < len(film)
    ]


def _scaled(luma: Luma, like: Luma) -> Luma:
    height, width = like.shape
    frame: Any = av.VideoFrame.from_ndarray(np.ascontiguousarray(luma), format="gray")
    scaled: Luma = frame.reformat(width=width, height=height, interpolation="BICUBIC").to_ndarray()
    return scaled


def _inner(luma: Luma) -> Luma:
    rows = bottom_rows(luma.shape[0])
    return luma[rows:-rows]
