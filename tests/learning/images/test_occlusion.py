from typing import get_args

import cv2
import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.learning.images.occlusion import draw_occluder, load_occluders, paste_occluders
from pipeline.params.train import AugmentParams


def test_occluders_cover_a_part_of_a_copy_with_the_given_probability():
    image = np.random.default_rng(1).integers(0, 256, (32, 32, 3), np.uint8)
    before = image.copy()
    rng = np.random.default_rng(2)
    occluded = paste_occluders(image, rng, prob=1.0)
    assert 0.005 < (occluded != image).any(-1).mean() < 0.6
    assert paste_occluders(image, rng, prob=0.0) is image
    np.testing.assert_array_equal(image, before)


def test_every_choice_of_the_parameters_makes_occluders(tmp_path):
    cv2.imwrite(str(tmp_path / "chair.png"), np.full((8, 4, 4), 255, np.uint8))
    for kind in get_args(AugmentParams.model_fields["occluders"].annotation):
        assert load_occluders(kind, tmp_path)(8, np.random.default_rng(0)).shape[2] == 4


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
