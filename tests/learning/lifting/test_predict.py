"""Where lifting networks' poses are placed."""

import numpy as np
import torch

from pipeline.learning.lifting.multi_view_frames import multi_view_frames
from pipeline.learning.lifting.predict import predict_poses
from pipeline.skeleton import N_JOINTS


class UpsideDown(torch.nn.Module):
    """A network that stands what it sees on its head: such poses fit best behind the camera."""

    def __init__(self):
        super().__init__()
        self.size = torch.nn.Parameter(torch.ones(()))

    def forward(self, features):
        placed = features[..., features.shape[-2] // 2, : 2 * N_JOINTS].unflatten(-1, (N_JOINTS, 2))
        return torch.cat([-self.size * placed, torch.zeros_like(placed[..., :1])], -1), None


def test_every_person_seen_gets_a_pose_before_the_camera():
    points_norm = np.random.default_rng(0).normal(scale=0.2, size=(6, 2, N_JOINTS, 2)) + np.array([0.3, 0])
    points_norm[4, 1] = np.nan
    nowhere = np.full((6, N_JOINTS, 3), np.nan)
    cameras = np.full((1, 2, 3, 3), np.nan), np.full((1, 2, 3), np.nan)
    frames = multi_view_frames(points_norm, np.ones(points_norm.shape[:-1]), nowhere, *cameras, np.array([0.0, 0, 1]))
    poses, roots = predict_poses(UpsideDown(), frames, 1, flip_test=False)
    seen = np.isfinite(points_norm).all((-1, -2))
    np.testing.assert_array_equal(np.isfinite(poses).all((-1, -2)), seen)
    assert (roots[seen][:, 2] > 0).all()
    # In the middle of its box, which it fills.
    middle = (points_norm.min(2) + points_norm.max(2)) / 2
    np.testing.assert_allclose((roots[..., :2] / roots[..., 2:])[seen], middle[seen], atol=1e-5)
    filled = np.ptp(poses[seen], axis=1).max(-1) / np.linalg.norm(roots[seen], axis=-1)
    np.testing.assert_allclose(filled, np.ptp(points_norm[seen], axis=1).max(-1), rtol=0.2)
