"""Batches of lifting networks: the features of windows, and the data that the losses compare poses with."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pipeline.learning.lifting.inputs import network_input
from pipeline.learning.lifting.multi_view_frames import Windows
from pipeline.learning.lifting.projection import to_camera
from pipeline.learning.lifting.virtual_cameras import with_virtual_views

FLIP_PROB = 0.5  # of a training window


@dataclass(frozen=True)
class MultiViewBatch:
    """B frames in the centred cameras of V views; NaN where unknown. Lengths are in units of UNIT_MM."""

    points_norm: Float[Tensor, "batch view 17 2"]
    confidence: Float[Tensor, "batch view 17"]
    box_size: Float[Tensor, "batch view"]  # of the person's box, in normalised image coordinates
    labels: Float[Tensor, "batch view 17 3"]
    label_weight: Float[Tensor, "batch 17"]
    R: Float[Tensor, "batch view 3 3"]  # of the cameras from the rig's world
    t: Float[Tensor, "batch view 3"]
    has_person: Bool[Tensor, "batch view"]
    distance: Float[Tensor, "batch view"]  # of the camera from the rig's centre

    @property
    def usable(self) -> Tensor:
        """Whether a view detected the person and its camera has extrinsics, (B, V)."""
        return self.has_person & torch.isfinite(self.t).all(-1)

    @property
    def weight(self) -> Tensor:
        """The confidence (B, V, 17), zero where a joint is undetected or the view not usable."""
        detected = torch.isfinite(self.points_norm).all(-1) & self.usable[..., None]
        return torch.where(detected, self.confidence, 0)


def training_batch(windows: Windows, virtual_views: int, rng: torch.Generator) -> tuple[Tensor, MultiViewBatch]:
    """Features (B, V, T, F) and batch of windows, mirrored at random and with virtual views added."""
    center = rig_center(windows)
    device = windows.R.device
    if virtual_views:
        windows = with_virtual_views(windows, virtual_views, rng)
    mirrored = torch.rand(len(windows.R), generator=rng, device=device) < FLIP_PROB
    center = torch.where(mirrored[:, None], center * torch.tensor([-1.0, 1, 1], device=device), center)
    return centred_batch(windows.mirrored(mirrored), center)


def centred_batch(windows: Windows, rig_center: Float[Tensor, "batch 3"]) -> tuple[Tensor, MultiViewBatch]:
    """Features (B, V, T, F) and batch of windows: every camera is rotated towards the person it sees."""
    seen = network_input(windows.points_norm, windows.confidence)
    R = seen.R_centred_from_cam @ windows.R
    t = (seen.R_centred_from_cam @ windows.t[..., None])[..., 0]
    frame = windows.points_norm.shape[2] // 2
    labels = to_camera(windows.labels[:, None, frame], R, t)
    distance = (t + (R @ rig_center[:, None, :, None])[..., 0]).norm(dim=-1)
    confidence = windows.confidence[:, :, frame].nan_to_num(0)
    batch = MultiViewBatch(
        seen.points_norm, confidence, seen.box_size, labels, windows.label_weight, R, t, seen.has_person, distance
    )
    return seen.features, batch


def rig_center(windows: Windows) -> Float[Tensor, "batch 3"]:
    """The point of the world that is nearest to the optical axes of the rig's cameras."""
    known = torch.isfinite(windows.t).all(-1)[..., None, None]
    R = torch.where(known, windows.R, 0)
    axes, centers = R[..., 2, :], -(R.mT @ torch.where(known, windows.t[..., None], 0))
    eye = torch.eye(3, device=R.device)
    across = torch.where(known, eye - axes[..., :, None] * axes[..., None, :], 0)
    solution: Tensor = torch.linalg.solve(across.sum(1) + 1e-6 * eye, (across @ centers).sum(1))
    return solution[..., 0]
