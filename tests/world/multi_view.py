"""Multi-view frames of people among the cameras of the ring, and batches of them."""

import numpy as np
import torch

from pipeline.learning.lifting.multi_view_batch import centred_batch, rig_center
from pipeline.learning.lifting.multi_view_frames import MultiViewFrames, multi_view_frames
from tests.world.cameras import project_norm, ring
from tests.world.people import people

UP = np.array([0.0, 0, 1])


def exact_frames(n_frames=6, n_views=3, seed=0) -> MultiViewFrames:
    """Frames of people as each view observes them, exactly and with confidence 1, and their true joints."""
    joints = people(n_frames, seed)
    R, t = ring(n_views)
    points_norm = np.swapaxes(project_norm(joints, R, t), 1, 2)
    return multi_view_frames(points_norm, np.ones(points_norm.shape[:3]), joints, R[None], t[None], UP)


def exact_views(frames: MultiViewFrames | None = None):
    """Features and views of all frames."""
    frames = exact_frames() if frames is None else frames
    windows = frames.windows(torch.arange(len(frames)), 1)
    return centred_batch(windows, rig_center(windows))
