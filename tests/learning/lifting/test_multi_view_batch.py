import numpy as np
import torch

from pipeline.learning.lifting.inputs import N_FEATURES
from pipeline.learning.lifting.multi_view_batch import centred_batch, rig_center, training_batch
from pipeline.learning.lifting.multi_view_frames import UNIT_MM
from pipeline.learning.lifting.projection import project
from tests.world.multi_view import exact_frames, exact_views


def test_views_are_rotated_towards_the_person_and_remain_consistent():
    features, views = exact_views()
    assert features.shape == (6, 3, 1, N_FEATURES)
    torch.testing.assert_close(views.points_norm, project(views.labels), atol=1e-5, rtol=0)
    box = (views.points_norm.amax(2) + views.points_norm.amin(2)) / 2
    assert (box.abs() < 0.2 * views.box_size[..., None]).all()
    world = (views.labels - views.t[:, :, None]) @ views.R
    torch.testing.assert_close(world[:, 0], world[:, 1], atol=1e-4, rtol=0)


def test_the_centre_of_a_ring_of_cameras():
    middle = rig_center(exact_frames(2).windows(torch.arange(2), 1))
    np.testing.assert_allclose(UNIT_MM * middle, [[0, 0, 900]] * 2, atol=20)


def test_the_same_seed_gives_the_same_batch():
    windows = exact_frames().windows(torch.arange(6), 1)
    a, b, c = (training_batch(windows, 2, torch.Generator().manual_seed(seed))[0] for seed in (0, 0, 1))
    torch.testing.assert_close(a, b, rtol=0, atol=0)
    assert not torch.equal(a, c)


def test_a_view_without_a_person_says_so():
    frames = exact_frames(2)
    frames.points_norm[0, 0] = torch.nan
    windows = frames.windows(torch.arange(2), 1)
    _, views = centred_batch(windows, rig_center(windows))
    assert views.has_person.tolist() == [[False, True, True], [True, True, True]]
