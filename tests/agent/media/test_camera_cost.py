"""The measured costs of a camera's forms: every form has one, and what must be decoded costs most."""

from agent.media.camera_choice import COSTS_MS
from agent.media.camera_cost import measured_costs_ms


def test_every_form_is_measured_and_decoding_costs_more_than_converting() -> None:
    costs = measured_costs_ms()
    assert set(costs) == set(COSTS_MS)
    assert min(costs["mjpeg"], costs["h264"]) > max(costs["yuv420p"], costs["nv12"])
