import math

import numpy as np
import torch

from pipeline.learning.lifting.inputs import N_FEATURES, network_input
from pipeline.learning.lifting.multi_view_batch import centred_batch, rig_center, training_batch
from pipeline.learning.lifting.multi_view_frames import UNIT_MM, concatenate
from pipeline.learning.lifting.projection import project, to_camera
from pipeline.learning.lifting.virtual_cameras import with_virtual_views
from pipeline.skeleton import MIRROR, ROOT
from tests.learning.lifting.scene import exact_moments, exact_views


def test_windows_stay_within_their_recording():
    moments = concatenate([exact_moments(5, seed=0), exact_moments(4, seed=1)])
    windows = moments.windows(torch.tensor([0, 4, 5, 7]), 3)
    rows = [[0, 0, 1], [3, 4, 4], [5, 5, 6], [6, 7, 8]]
    torch.testing.assert_close(windows.labels, moments.labels[torch.tensor(rows)])
    torch.testing.assert_close(windows.points_norm, moments.points_norm[torch.tensor(rows)].transpose(1, 2))


def test_recordings_of_fewer_views_are_filled_up_with_nothing():
    few, many = exact_moments(2, n_views=2), exact_moments(3, n_views=4)
    moments = concatenate([few, many])
    assert moments.points_norm.shape == (5, 4, 17, 2)
    assert torch.isnan(moments.points_norm[:2, 2:]).all()
    assert torch.isfinite(moments.points_norm[2:]).all()
    windows = moments.windows(torch.arange(5), 1)
    torch.testing.assert_close(windows.R[1, :2], few.R[0])
    assert torch.isnan(windows.t[1, 2:]).all()
    torch.testing.assert_close(windows.R[2], many.R[0])


def test_the_mirrored_world_is_a_world():
    """In a mirror, too, the rays are the projections of the labels by the cameras."""
    moments = exact_moments()
    windows = moments.windows(torch.arange(6), 1)
    which = torch.tensor([True, False, True, False, True, False])
    mirrored = windows.mirrored(which)
    seen = project(to_camera(mirrored.labels[:, None], mirrored.R[:, :, None], mirrored.t[:, :, None]))
    torch.testing.assert_close(mirrored.points_norm, seen, atol=1e-5, rtol=0)
    torch.testing.assert_close(torch.linalg.det(mirrored.R), torch.ones(6, 3))
    torch.testing.assert_close(mirrored.points_norm[0, 0, 0, :, 0], -windows.points_norm[0, 0, 0, MIRROR, 0])
    torch.testing.assert_close(mirrored.points_norm[1], windows.points_norm[1])


def test_a_mirrored_label_keeps_its_weight():
    weight = np.random.default_rng(0).uniform(size=(6, 17))
    windows = exact_moments().with_label_weights(weight).windows(torch.arange(6), 3)
    mirrored = windows.mirrored(torch.arange(6) < 3).label_weight.numpy()
    np.testing.assert_allclose(mirrored[:3], weight[:3, MIRROR], rtol=1e-6)
    np.testing.assert_allclose(mirrored[3:], weight[3:], rtol=1e-6)


def test_views_are_turned_towards_the_person_and_remain_consistent():
    features, views = exact_views()
    assert features.shape == (6, 3, 1, N_FEATURES)
    torch.testing.assert_close(views.points_norm, project(views.labels), atol=1e-5, rtol=0)
    box = (views.points_norm.amax(2) + views.points_norm.amin(2)) / 2
    assert (box.abs() < 0.2 * views.box_size[..., None]).all()
    world = (views.labels - views.t[:, :, None]) @ views.R
    torch.testing.assert_close(world[:, 0], world[:, 1], atol=1e-4, rtol=0)


def test_the_same_person_looks_the_same_anywhere_in_the_image():
    """But for the box's own three numbers, a camera turned away sees the same."""
    points_norm = exact_moments(3).points_norm[:, :1]
    turn = torch.tensor([[math.cos(0.2), 0, math.sin(0.2)], [0, 1, 0], [-math.sin(0.2), 0, math.cos(0.2)]])
    away = project(torch.cat([points_norm, torch.ones_like(points_norm[..., :1])], -1) @ turn.T)
    here, there = (
        network_input(x[:, :, None], torch.ones(3, 1, 1, 17)).features[..., :-3] for x in (points_norm, away)
    )
    torch.testing.assert_close(here, there, atol=0.05, rtol=0)
    assert (here - there).abs().mean() < 0.01


def test_unseen_joints_are_zero_and_say_so():
    points_norm = exact_moments(1).points_norm[:, :1, None].clone()
    points_norm[..., 4, :] = torch.nan
    features = network_input(points_norm, torch.full((1, 1, 1, 17), 0.8)).features[0, 0, 0]
    assert not features[8:10].any()
    assert features[34 + 4] == 0
    assert features[34 + 5] == 0.8


def test_middle_of_a_ring_of_cameras():
    middle = rig_center(exact_moments(2).windows(torch.arange(2), 1))
    np.testing.assert_allclose(UNIT_MM * middle, [[0, 0, 900]] * 2, atol=20)


def test_virtual_cameras_see_the_labels_with_real_errors():
    moments = exact_moments(8)
    moments.points_norm[:, :, 7] += 0.01  # of every real view
    moments.labels[7] = torch.nan
    windows = moments.windows(torch.arange(8), 3)
    more = with_virtual_views(windows, 5, torch.Generator().manual_seed(0))
    assert more.points_norm.shape == (8, 8, 3, 17, 2)
    torch.testing.assert_close(more.points_norm[:, :3], windows.points_norm)
    new_R, new_t = more.R[:, 3:], more.t[:, 3:]
    torch.testing.assert_close(new_R[:7] @ new_R[:7].mT, torch.eye(3).expand(7, 5, 3, 3), atol=1e-5, rtol=0)
    seen = project(to_camera(windows.labels[:, None], new_R[:, :, None], new_t[:, :, None]))
    off = (more.points_norm[:, 3:] - seen)[:6]
    exact = [j for j in range(17) if j != 7]
    assert off[..., exact, :].abs().max() < 1e-5
    assert (off[..., 7, :] > 0.003).all()
    assert torch.isnan(more.points_norm[7, 3:]).all()
    # Upright, around the person, at about the real cameras' distance.
    root = to_camera(windows.labels[:, None, 1, ROOT : ROOT + 1], new_R, new_t)[:7, :, 0]
    assert (root[..., 2] > 0).all()
    assert ((root.norm(dim=-1) > 2.5) & (root.norm(dim=-1) < 7.5)).all()
    assert (new_R[:7, :, 1, 2] < -0.3).all()


def test_the_same_seed_shows_the_same():
    windows = exact_moments().windows(torch.arange(6), 1)
    a, b, c = (training_batch(windows, 2, torch.Generator().manual_seed(seed))[0] for seed in (0, 0, 1))
    torch.testing.assert_close(a, b, rtol=0, atol=0)
    assert not torch.equal(a, c)


def test_nobody_seen_is_not_there():
    moments = exact_moments(2)
    moments.points_norm[0, 0] = torch.nan
    windows = moments.windows(torch.arange(2), 1)
    _, views = centred_batch(windows, rig_center(windows))
    assert views.has_person.tolist() == [[False, True, True], [True, True, True]]


def test_virtual_views_err_as_a_camera_that_is_there():
    """Of a rig with an empty place, none of the virtual views is left without a person."""
    moments = concatenate([exact_moments(3, n_views=2), exact_moments(3, n_views=5)])
    more = with_virtual_views(moments.windows(torch.arange(3), 1), 40, torch.Generator().manual_seed(0))
    assert torch.isfinite(more.points_norm[:, 5:]).all()
