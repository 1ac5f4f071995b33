"""What each form of a camera's pictures costs on this very processor, measured with real streams of each."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from fractions import Fraction

import numpy as np
from av import Packet, VideoFrame
from av.codec.context import CodecContext
from av.video.codeccontext import VideoCodecContext
from av.video.reformatter import VideoReformatter

from agent.media.pixels import FULL_RANGE, NARROW_RANGE, planes, scaled
from agent.media.scene import Scene

WIDTH, HEIGHT = 640, 360
PICTURES = 8
NOISE_LUMA = 12  # steps: a webcam's picture, and so the work of decoding it, is mostly noise
H264_BIT_RATE = 2_500_000  # a quarter of the 10 Mbit/s that webcams give at 1280x720
RAW_FORMATS = ("yuv420p", "nv12", "yuyv422", "uyvy422")


def measured_costs_ms() -> dict[str, float]:
    """Milliseconds of processor per megapixel up to yuv420p, by FFmpeg's name of the form. Takes 0.3 s."""
    pictures = list(_pictures())
    costs = {name: _cost([[picture] for picture in _as(pictures, name)]) for name in RAW_FORMATS}
    costs["mjpeg"] = _decoding_cost("mjpeg", "yuvj422p", pictures, {"qmin": "3", "qmax": "3"}, 0)
    fast = {"preset": "superfast", "tune": "zerolatency"}
    costs["h264"] = _decoding_cost("h264", "yuv420p", pictures, fast, H264_BIT_RATE)
    return {name: round(cost, 2) for name, cost in costs.items()}


def _pictures() -> Iterator[VideoFrame]:
    scene, random = Scene(WIDTH, HEIGHT), np.random.default_rng(0)
    for index in range(PICTURES):
        picture = scene.draw(index / 30, index / 30)
        luma = planes(picture)[0]
        luma += random.integers(0, NOISE_LUMA, luma.shape, np.uint8)
        yield picture


def _as(pictures: list[VideoFrame], pixel_format: str) -> list[VideoFrame]:
    wanted = FULL_RANGE if pixel_format.startswith("yuvj") else NARROW_RANGE
    return [each.reformat(format=pixel_format, dst_color_range=wanted) for each in pictures]


def _decoding_cost(
    codec: str, pixel_format: str, pictures: list[VideoFrame], options: dict[str, str], bit_rate: int
) -> float:
    encoder = CodecContext.create("libx264" if codec == "h264" else codec, "w")
    decoder = CodecContext.create(codec, "r")
    assert isinstance(encoder, VideoCodecContext)
    assert isinstance(decoder, VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, pixel_format
    encoder.time_base, encoder.framerate = Fraction(1, 30), Fraction(30)
    encoder.bit_rate = bit_rate
    encoder.options = options
    packets: list[bytes] = []
    for index, picture in enumerate([*_as(pictures, pixel_format), None]):
        if picture is not None:
            picture.pts, picture.time_base = index, Fraction(1, 30)
        packets += [bytes(packet) for packet in encoder.encode(picture)]
    decoder.thread_count = 1
    return _cost(decoder.decode(Packet(data)) for data in packets)


def _cost(arriving: Iterable[list[VideoFrame]]) -> float:
    """Processor time per megapixel until all that arrives is yuv420p."""
    kept, megapixels = VideoReformatter(), 0.0
    began = time.thread_time()
    for frames in arriving:
        for frame in frames:
            scaled(frame, WIDTH, HEIGHT, kept=kept)
            megapixels += WIDTH * HEIGHT / 1e6
    return (time.thread_time() - began) * 1000 / max(megapixels, 1e-6)
