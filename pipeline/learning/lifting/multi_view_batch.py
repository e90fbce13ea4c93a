"""Batches of moments as lifting networks take them: windows of features, and what the losses compare with."""

import torch
from torch import Tensor

from pipeline.learning.lifting.inputs import look
from pipeline.learning.lifting.losses import MultiViewBatch
from pipeline.learning.lifting.multi_view_frames import Windows
from pipeline.learning.lifting.projection import to_camera
from pipeline.learning.lifting.virtual_cameras import with_virtual_views

MIRRORED = 0.5  # share of the training moments


def training_views(windows: Windows, virtual_views: int, rng: torch.Generator) -> tuple[Tensor, MultiViewBatch]:
    """Features (B, V, T, F) and views of windows, mirrored by chance and with virtual views added."""
    middle = rig_middle(windows)
    device = windows.R.device
    if virtual_views:
        windows = with_virtual_views(windows, virtual_views, rng)
    mirrored = torch.rand(len(windows.R), generator=rng, device=device) < MIRRORED
    middle = torch.where(mirrored[:, None], middle * torch.tensor([-1.0, 1, 1], device=device), middle)
    return as_views(windows.mirrored(mirrored), middle)


def as_views(windows: Windows, middle: Tensor) -> tuple[Tensor, MultiViewBatch]:
    """Features and views of windows whose rigs look at `middle` (B, 3): every camera is turned towards the person."""
    seen = look(windows.points_norm, windows.confidence)
    R, t = seen.turn @ windows.R, (seen.turn @ windows.t[..., None])[..., 0]
    frame = windows.points_norm.shape[2] // 2
    labels = to_camera(windows.labels[:, None, frame], R, t)
    distance = (t + (R @ middle[:, None, :, None])[..., 0]).norm(dim=-1)
    confidence = windows.confidence[:, :, frame].nan_to_num(0)
    views = MultiViewBatch(
        seen.points_norm, confidence, seen.size, labels, windows.label_weight, R, t, seen.there, distance
    )
    return seen.features, views


def rig_middle(windows: Windows) -> Tensor:
    """The point (B, 3) of the world that is nearest to the optical axes of the rig's cameras."""
    known = torch.isfinite(windows.t).all(-1)[..., None, None]
    R = torch.where(known, windows.R, 0)
    axes, centers = R[..., 2, :], -(R.mT @ torch.where(known, windows.t[..., None], 0))
    eye = torch.eye(3, device=R.device)
    across = torch.where(known, eye - axes[..., :, None] * axes[..., None, :], 0)
    return torch.linalg.solve(across.sum(1) + 1e-6 * eye, (across @ centers).sum(1))[..., 0]
