import numpy as np

from pipeline.learning.augment import Jitter, hide_parts, jitter_crop, recolour
from pipeline.learning.crops import Crop
from pipeline.learning.schedule import learning_rate


def test_crops_stay_within_the_ranges_and_use_them():
    rng = np.random.default_rng(0)
    jitter = Jitter(shift=0.1, scale=1.5, turn_rad=0.5, turned=0.5, mirrored=0.5)
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


def test_pixels_change_but_the_given_image_does_not():
    image = np.random.default_rng(1).integers(0, 256, (32, 32, 3), np.uint8)
    before = image.copy()
    rng = np.random.default_rng(2)
    assert not np.array_equal(recolour(image, rng), image)
    hidden = hide_parts(image, rng, share=1.0)
    assert 0.005 < (hidden != image).any(-1).mean() < 0.6
    assert hide_parts(image, rng, share=0.0) is image
    np.testing.assert_array_equal(image, before)


def test_the_learning_rate_warms_up_and_falls():
    rates = [learning_rate(2.0, step, 200) for step in range(200)]
    assert np.argmax(rates) in (9, 10)
    assert max(rates) == 2.0
    assert (np.diff(rates[:10]) > 0).all()
    assert (np.diff(rates[10:]) < 0).all()
    assert 0.02 <= rates[-1] < 0.03
    assert learning_rate(1.0, 0, 1) == 1.0
