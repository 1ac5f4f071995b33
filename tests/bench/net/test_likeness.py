from __future__ import annotations

import numpy as np
import pytest

from tests.bench.net.likeness import likeness, ssim
from tests.bench.net.site import Sample

RANDOM = np.random.default_rng(1)
COARSE = RANDOM.integers(16, 235, (18, 32)).astype(np.uint8)
SENT = COARSE.repeat(20, axis=0).repeat(20, axis=1)  # 640x360


def test_the_same_is_one_and_noise_takes_away() -> None:
    noisy = np.clip(SENT + RANDOM.normal(0, 20, SENT.shape), 0, 255).astype(np.uint8)
    assert ssim(SENT, SENT) == pytest.approx(1.0)
    assert 0.1 < ssim(noisy, SENT) < 0.95


def test_a_smaller_picture_is_scaled_up_and_found_by_its_number() -> None:
    half = SENT[::2, ::2]
    film = [255 - SENT, SENT]
    of_right, of_wrong = likeness([Sample(1, half)], film), likeness([Sample(0, half)], film)
    assert of_right is not None
    assert of_wrong is not None
    assert of_wrong < 0.5 < of_right < 1.0


def test_the_strips_are_not_compared() -> None:
    other = SENT.copy()
    other[:20], other[-20:] = 255, 0
    assert likeness([Sample(0, other)], [SENT]) == pytest.approx(1.0)
    assert likeness([], [SENT]) is None
