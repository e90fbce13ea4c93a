import numpy as np
import torch

from pipeline.learning.lifting.multi_view_frames import concatenate
from pipeline.learning.lifting.projection import project, to_camera
from pipeline.skeleton import MIRROR
from tests.world.multi_view import exact_frames


def test_windows_stay_within_their_recording():
    frames = concatenate([exact_frames(5, seed=0), exact_frames(4, seed=1)])
    windows = frames.windows(torch.tensor([0, 4, 5, 7]), 3)
    rows = [[0, 0, 1], [3, 4, 4], [5, 5, 6], [6, 7, 8]]
    torch.testing.assert_close(windows.labels, frames.labels[torch.tensor(rows)])
    torch.testing.assert_close(windows.points_norm, frames.points_norm[torch.tensor(rows)].transpose(1, 2))


def test_recordings_of_fewer_views_are_padded_with_nan():
    few, many = exact_frames(2, n_views=2), exact_frames(3, n_views=4)
    frames = concatenate([few, many])
    assert frames.points_norm.shape == (5, 4, 17, 2)
    assert torch.isnan(frames.points_norm[:2, 2:]).all()
    assert torch.isfinite(frames.points_norm[2:]).all()
    windows = frames.windows(torch.arange(5), 1)
    torch.testing.assert_close(windows.R[1, :2], few.R[0])
    assert torch.isnan(windows.t[1, 2:]).all()
    torch.testing.assert_close(windows.R[2], many.R[0])


def test_the_mirrored_world_is_a_world():
    """In mirrored windows, too, the detections are the projections of the labels."""
    frames = exact_frames()
    windows = frames.windows(torch.arange(6), 1)
    which = torch.tensor([True, False, True, False, True, False])
    mirrored = windows.mirrored(which)
    seen = project(to_camera(mirrored.labels[:, None], mirrored.R[:, :, None], mirrored.t[:, :, None]))
    torch.testing.assert_close(mirrored.points_norm, seen, atol=1e-5, rtol=0)
    torch.testing.assert_close(torch.linalg.det(mirrored.R), torch.ones(6, 3))
    torch.testing.assert_close(mirrored.points_norm[0, 0, 0, :, 0], -windows.points_norm[0, 0, 0, MIRROR, 0])
    torch.testing.assert_close(mirrored.points_norm[1], windows.points_norm[1])


def test_a_mirrored_label_keeps_its_weight():
    weight = np.random.default_rng(0).uniform(size=(6, 17))
    windows = exact_frames().with_label_weights(weight).windows(torch.arange(6), 3)
    mirrored = windows.mirrored(torch.arange(6) < 3).label_weight.numpy()
    np.testing.assert_allclose(mirrored[:3], weight[:3, MIRROR], rtol=1e-6)
    np.testing.assert_allclose(mirrored[3:], weight[3:], rtol=1e-6)
