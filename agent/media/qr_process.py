"""Reads QR codes in pictures, as a process of its own: `python -m agent.media.qr_process`.

On standard input comes picture after picture, each a header (HEADER: width, height, whether to look at it in full
size) and its luma; on standard output goes one line for each, a JSON list of the texts found.

A process, since OpenCV would stay in the agent's memory for good (46 MiB), and since whatever a stranger holds up
is read by its C++: a picture that makes it crash or hang ends this process and nothing else. It keeps no picture.
"""

from __future__ import annotations

import json
import os
import struct
import sys
from typing import BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray

HEADER = struct.Struct(">HH?")
LOOK_WIDTH = 960
"""Enough for a code that fills an eighth of the picture's width, in a third of the time."""
NICER = 15
"""The agent that started us goes before the screen (agent/__main__.py); the mirror goes before us."""
TEXT_MAX = 256
"""Our own are at most this long; of a longer one nothing but its being longer is told."""


class Reader:
    """Finds and reads codes; several may be in one picture, since letters carry others too."""

    def __init__(self) -> None:
        cv2.setNumThreads(1)  # the picture being shown has the other processors
        self._detector = cv2.QRCodeDetectorAruco()

    def read(self, luma: NDArray[np.uint8], *, in_full: bool) -> list[str]:
        """The texts of the codes that could be read, the empty ones left out."""
        height, width = luma.shape
        if width > LOOK_WIDTH and not in_full:
            size = (LOOK_WIDTH, round(height * LOOK_WIDTH / width))
            luma = cv2.resize(luma, size, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
        try:
            _, texts, _, _ = self._detector.detectAndDecodeMulti(luma)
        except (cv2.error, UnicodeDecodeError):
            return []  # a code that is none, or holds no text
        return [text[: TEXT_MAX + 1] for text in texts if text]


def serve(pictures: BinaryIO, answers: BinaryIO) -> None:
    """Answer picture after picture, until there are no more."""
    reader = Reader()
    while len(header := pictures.read(HEADER.size)) == HEADER.size:
        width, height, in_full = HEADER.unpack(header)
        luma = pictures.read(width * height)
        if len(luma) < width * height:
            return
        picture = np.frombuffer(luma, np.uint8).reshape(height, width)
        answers.write(json.dumps(reader.read(picture, in_full=in_full)).encode() + b"\n")
        answers.flush()


if __name__ == "__main__":
    os.nice(NICER)
    serve(sys.stdin.buffer, sys.stdout.buffer)
