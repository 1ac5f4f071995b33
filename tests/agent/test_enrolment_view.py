"""What the screen shows of the way in; its code is read back by a reader of another make."""

from __future__ import annotations

import re
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from agent.contract.fingerprint_words import words_of
from agent.enrolment import State, begin
from agent.enrolment_view import enrol_view, qr_path
from tests.agent.certificates import TODAY

KEY = "5e" * 32


def drawn(path: str, size: int, scale: int = 8) -> np.ndarray:
    """The path as a picture, as a browser would fill it, with a quiet zone of four."""
    picture = np.full((size + 8, size + 8), 255, np.uint8)
    for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", path):
        picture[int(y) + 4, int(x) + 4 : int(x) + 4 + int(width)] = 0
    return np.kron(picture, np.ones((scale, scale), np.uint8))


def test_serial_words_state_and_a_code_that_says_the_same():
    at, _ = begin(TODAY, has_bootstrap=True, has_new=False)
    way = SimpleNamespace(serial="hr-000417", request=SimpleNamespace(key_sha256=KEY), enrolment=at)
    view = enrol_view(way)
    assert (view.serial, view.words, view.state) == ("hr-000417", words_of(KEY), State.CONNECTING)
    read, *_ = cv2.QRCodeDetector().detectAndDecode(drawn(view.qr.path, view.qr.size))
    assert read == f"halsorum:enrol?serial=hr-000417&key={KEY}"


@pytest.mark.parametrize("content", ["1", "x" * 300])
def test_a_code_has_its_three_corners(content):
    code = qr_path(content)
    assert all(corner in code.path for corner in ("M0 0h7v1h-7z", f"M{code.size - 7} 0h7v1h-7z"))
