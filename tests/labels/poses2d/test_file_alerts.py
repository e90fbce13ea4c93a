"""Where points lie in the images, over people, views and blocks of frames."""

import numpy as np

from pipeline.labels.poses2d.file_alerts import PixelUse


def test_points_outside_the_image_are_counted_and_missing_ones_are_not():
    points = np.array([[[0, 0], [99, 49], [100, 10], [-1, 10], [np.nan, np.nan]]])
    use = PixelUse.of(points, (100, 50))
    assert (int(use.n_points), int(use.n_outside)) == (4, 2)
    assert not PixelUse.of(np.zeros((0, 5, 2)), (100, 50)).extent.any()


def test_blocks_and_views_are_joined():
    left, right = (PixelUse.of(np.full((1, 2, 2), x), (100, 100)) for x in (20.0, 60.0))
    view = PixelUse.stacked([left, right])
    joined = PixelUse.joined([view, PixelUse.stacked([right, left])])
    np.testing.assert_array_equal(joined.n_points, [4, 4])
    np.testing.assert_allclose(joined.extent, 0.6)
