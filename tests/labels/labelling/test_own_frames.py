"""Labels at the times of each view's own frames."""

import numpy as np

from pipeline.geometry.view_time import ViewTime
from pipeline.labels.labelling.own_frames import OwnFrames

TIMES = [ViewTime(), ViewTime((0.0,), (2.5,)), ViewTime((0.0,), (-4.0,))]


def test_labels_are_interpolated_at_the_moments_that_each_view_shows():
    own = OwnFrames.of(TIMES, (10, 16), 30)
    assert (own.start, own.stop) == (7, 20)
    frames = np.arange(own.start, own.stop, dtype=float)
    values = np.broadcast_to(frames[:, None, None], (len(frames), 3, 2))
    rows = np.arange(10, 16)
    np.testing.assert_allclose(own.joints(values)[..., 0], np.stack([rows, rows - 2.5, rows + 4], 1))
    codes = own.codes(values.astype(np.uint8))[..., 0]
    assert codes.dtype == np.uint8
    assert (np.abs(codes - np.stack([rows, rows - 2.5, rows + 4], 1)) <= 0.5).all()


def test_before_and_after_the_labels_there_are_none():
    own = OwnFrames.of(TIMES, (0, 6), 6)
    assert (own.start, own.stop) == (0, 6)
    values = np.ones((6, 3, 1))
    np.testing.assert_array_equal(np.isnan(own.joints(values))[..., 0].sum(0), [0, 3, 4])
    np.testing.assert_array_equal((own.codes(values.astype(int)) == 0)[..., 0].sum(0), [0, 3, 4])
