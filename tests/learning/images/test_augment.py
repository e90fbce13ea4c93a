import numpy as np

from pipeline.learning.images.augment import Jitter, color_jitter, jitter_crop
from pipeline.learning.images.crops import Crop


def test_crops_stay_within_the_ranges_and_use_them():
    rng = np.random.default_rng(0)
    jitter = Jitter(shift=0.1, scale=1.5, rotation_rad=0.5, rotation_prob=0.5, flip_prob=0.5)
    crops = [jitter_crop(Crop(np.array([50.0, 60.0]), 100.0), jitter, rng) for _ in range(400)]
    sides = np.array([crop.side_px for crop in crops])
    angles = np.array([crop.angle_rad for crop in crops])
    shifts = np.stack([crop.center_px - [50, 60] for crop in crops]) / sides[:, None]
    assert 66 < sides.min() < 70
    assert 145 < sides.max() < 150.1
    assert 0.4 < np.mean(angles == 0) < 0.6
    assert np.abs(angles).max() <= 0.5
    assert 0.15 < np.abs(shifts).max() <= 0.2 + 1e-9
    assert 0.4 < np.mean([crop.mirrored for crop in crops]) < 0.6


def test_colours_change_but_the_given_image_does_not():
    image = np.random.default_rng(1).integers(0, 256, (32, 32, 3), np.uint8)
    before = image.copy()
    assert not np.array_equal(color_jitter(image, np.random.default_rng(2)), image)
    np.testing.assert_array_equal(image, before)
