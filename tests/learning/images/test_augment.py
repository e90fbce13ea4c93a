import cv2
import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.learning.engine.schedule import learning_rate
from pipeline.learning.images.augment import Jitter, color_jitter, jitter_crop
from pipeline.learning.images.crops import Crop
from pipeline.learning.images.occlusion import draw_occluder, load_occluders, paste_occluders


def test_crops_stay_within_the_ranges_and_use_them():
    rng = np.random.default_rng(0)
    jitter = Jitter(shift=0.1, scale=1.5, rotation_rad=0.5, turned=0.5, mirrored=0.5)
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
    assert not np.array_equal(color_jitter(image, rng), image)
    hidden = paste_occluders(image, rng, share=1.0)
    assert 0.005 < (hidden != image).any(-1).mean() < 0.6
    assert paste_occluders(image, rng, share=0.0) is image
    np.testing.assert_array_equal(image, before)


def test_the_learning_rate_warms_up_and_falls():
    rates = [learning_rate(2.0, step, 200) for step in range(200)]
    assert np.argmax(rates) in (9, 10)
    assert max(rates) == 2.0
    assert (np.diff(rates[:10]) > 0).all()
    assert (np.diff(rates[10:]) < 0).all()
    assert 0.02 <= rates[-1] < 0.03
    assert learning_rate(1.0, 0, 1) == 1.0


def test_the_papers_steps():
    """A tenth after 90 and again after 120 of 140 epochs, here of ten steps each."""
    rates = [learning_rate(1.0, step, 1400, "step") for step in range(1400)]
    np.testing.assert_allclose([rates[i] for i in (899, 900, 1199, 1200)], [1, 0.1, 0.1, 0.01])


def test_a_pasted_object_covers_what_it_should_and_nothing_else():
    """An object of two opaque and two clear columns: only the opaque ones are seen."""
    made = np.full((4, 4, 4), 255, np.uint8)
    made[:, 2:, 3] = 0
    rng = np.random.default_rng(0)
    image = np.zeros((64, 64, 3), np.uint8)
    hidden = paste_occluders(image, rng, 1.0, lambda side, rng: made)
    assert set(np.unique(hidden)) == {0, 255}
    assert (hidden > 0).all(-1).sum() in (8, 16, 24)  # unless cut by the border


def test_drawn_objects_have_all_shapes_and_fit():
    rng = np.random.default_rng(3)
    made = [draw_occluder(20, rng) for _ in range(60)]
    assert all(max(m.shape[:2]) <= 20 and m.shape[2] == 4 for m in made)
    filled = np.array([(m[..., 3] > 0).mean() for m in made])
    assert (filled == 1).any()
    assert ((filled > 0.6) & (filled < 0.95)).any()
    assert (filled < 0.6).any()


def test_objects_of_a_folder(tmp_path):
    picture = np.zeros((8, 4, 4), np.uint8)
    picture[...] = (10, 20, 30, 255)  # blue, green, red, opaque
    cv2.imwrite(str(tmp_path / "chair.png"), picture)
    made = load_occluders("images", tmp_path)(16, np.random.default_rng(0))
    assert made.shape == (16, 8, 4)
    assert (made == [30, 20, 10, 255]).all()


def test_a_folder_without_transparency_is_refused(tmp_path):
    cv2.imwrite(str(tmp_path / "photo.png"), np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(UserError, match="none of its 1 PNG files has transparency"):
        load_occluders("images", tmp_path)
