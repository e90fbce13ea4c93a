"""The parameters of calibration: what one way alone reads has no effect on the others."""

import pytest


@pytest.mark.parametrize(
    ("keys", "unused"),
    [
        ({}, {"window_frames", "baseline"}),
        ({"calibrate__mode": "window"}, {"baseline"}),
        ({"calibrate__scale": "baseline"}, {"window_frames"}),
    ],
)
def test_what_one_way_alone_reads(changed, keys, unused):
    assert changed(**keys).calibrate.unused() == unused
