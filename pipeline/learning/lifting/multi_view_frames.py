"""Frames of recordings seen by all views of a rig, and windows of frames: the training data of lifting networks.

Lengths are in units of UNIT_MM. Missing views, undetected joints, unknown labels and unknown cameras are NaN.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from pipeline.skeleton import MIRROR, ROOT

# In this unit (metres, for rigs in millimetres) the joints of a pose have a standard deviation near one, which is a
# good scale for networks.
UNIT_MM = 1000.0


@dataclass(frozen=True)
class MultiViewFrames:
    """The frames of recordings, one recording after the other, seen by up to V views."""

    points_norm: Float[Tensor, "frame view 17 2"]  # detections without lens distortion
    confidence: Float[Tensor, "frame view 17"]
    labels: Float[Tensor, "frame 17 3"]  # in the rig's world
    label_weight: Float[Tensor, "frame 17"]
    rig: Int[Tensor, " frame"]  # row of R, t and up
    first: Int[Tensor, " frame"]  # row of the first frame of the frame's recording
    last: Int[Tensor, " frame"]  # row of the last frame of the frame's recording
    R: Float[Tensor, "rig view 3 3"]  # cameras from the world
    t: Float[Tensor, "rig view 3"]
    up: Float[Tensor, "rig 3"]  # the vertical in the world

    def __len__(self) -> int:
        return len(self.points_norm)

    @property
    def has_person(self) -> Bool[Tensor, " frame"]:
        """Whether any view detected a joint."""
        return torch.isfinite(self.points_norm).all(-1).any(-1).any(-1)

    @property
    def has_label(self) -> Bool[Tensor, " frame"]:
        """Whether any joint has a label."""
        return torch.isfinite(self.labels).all(-1).any(-1)

    @property
    def has_root_label(self) -> Bool[Tensor, " frame"]:
        """Whether the root, which all labels are relative to, has a label."""
        return torch.isfinite(self.labels[:, ROOT]).all(-1)

    def windows(self, rows: Int[Tensor, " batch"], length: int) -> "Windows":
        """The frames of some rows, each with the frames around it; a recording's first and last frame are repeated."""
        around = torch.arange(length, device=rows.device) - length // 2
        window_rows = (rows[:, None] + around).clamp(self.first[rows, None], self.last[rows, None])
        rig = self.rig[rows]
        return Windows(
            self.points_norm[window_rows].transpose(1, 2), self.confidence[window_rows].transpose(1, 2),
            self.labels[window_rows], self.label_weight[rows], self.R[rig], self.t[rig], self.up[rig],
        )  # fmt: skip

    def with_label_weights(self, label_weight: Float[np.ndarray, "frame 17"]) -> "MultiViewFrames":
        """The same frames with other weights of their labels."""
        return replace(self, label_weight=torch.from_numpy(label_weight.astype(np.float32)))

    def to(self, device: torch.device) -> "MultiViewFrames":
        """The same frames on a device."""
        return MultiViewFrames(*(getattr(self, field.name).to(device) for field in fields(self)))


@dataclass(frozen=True)
class Windows:
    """Windows of T frames around B frames."""

    points_norm: Float[Tensor, "batch view time 17 2"]
    confidence: Float[Tensor, "batch view time 17"]
    labels: Float[Tensor, "batch time 17 3"]
    label_weight: Float[Tensor, "batch 17"]  # of the middle frame
    R: Float[Tensor, "batch view 3 3"]
    t: Float[Tensor, "batch view 3"]
    up: Float[Tensor, "batch 3"]

    def mirrored(self, which: Bool[Tensor, " batch"]) -> "Windows":
        """The windows, with the windows of `which` mirrored: the person with left and right exchanged, and the rig."""
        flip = torch.tensor([-1.0, 1, 1], device=which.device)
        b = which.view(-1, 1, 1)
        return replace(
            self,
            points_norm=torch.where(b[..., None, None], self.points_norm[..., MIRROR, :] * flip[:2], self.points_norm),
            confidence=torch.where(b[..., None], self.confidence[..., MIRROR], self.confidence),
            labels=torch.where(b[..., None], self.labels[..., MIRROR, :] * flip, self.labels),
            label_weight=torch.where(which[:, None], self.label_weight[..., MIRROR], self.label_weight),
            R=torch.where(b[..., None], flip[:, None] * self.R * flip, self.R),
            t=torch.where(b, self.t * flip, self.t),
            up=torch.where(which[:, None], self.up * flip, self.up),
        )

    def with_views(self, points_norm: Tensor, confidence: Tensor, R: Tensor, t: Tensor) -> "Windows":
        """The same windows with further views (B, W, ...)."""
        ours, more = (self.points_norm, self.confidence, self.R, self.t), (points_norm, confidence, R, t)
        points_norm, confidence, R, t = (torch.cat(pair, 1) for pair in zip(ours, more, strict=True))
        return replace(self, points_norm=points_norm, confidence=confidence, R=R, t=t)


def concatenate(parts: Sequence[MultiViewFrames]) -> MultiViewFrames:
    """The frames of several recordings as one, padded to the same number of views."""
    n_views = max(part.R.shape[1] for part in parts)
    starts = np.cumsum([0, *(len(part) for part in parts)])
    rigs = np.cumsum([0, *(len(part.R) for part in parts)])
    padded = [
        replace(
            part, **{name: _padded(getattr(part, name), n_views) for name in ("points_norm", "confidence", "R", "t")},
            first=part.first + int(start), last=part.last + int(start), rig=part.rig + int(rig),
        )
        for part, start, rig in zip(parts, starts, rigs, strict=False)
    ]  # fmt: skip
    return MultiViewFrames(
        *(torch.cat([getattr(part, field.name) for part in padded]) for field in fields(MultiViewFrames))
    )


def _padded(values: Tensor, n_views: int) -> Tensor:
    more = values.new_full((len(values), n_views - values.shape[1], *values.shape[2:]), torch.nan)
    return torch.cat([values, more], 1)


def multi_view_frames(
    points_norm: Float[np.ndarray, "frame view 17 2"],
    confidence: Float[np.ndarray, "frame view 17"],
    labels_world_mm: Float[np.ndarray, "frame 17 3"],
    R: Float[np.ndarray, "rig view 3 3"],
    t_mm: Float[np.ndarray, "rig view 3"],
    up: Float[np.ndarray, "3"],
) -> MultiViewFrames:
    """The frames of one recording from its detections, labels, cameras and vertical.

    The cameras are one rig for all frames or one for each frame.
    """
    n, rigs = len(points_norm), len(R)

    def tensor(values: np.ndarray) -> Tensor:
        return torch.from_numpy(np.asarray(values, np.float32))

    return MultiViewFrames(
        tensor(points_norm), tensor(confidence), tensor(labels_world_mm / UNIT_MM),
        torch.ones(labels_world_mm.shape[:2]), torch.arange(n) if rigs > 1 else torch.zeros(n, dtype=torch.long),
        torch.zeros(n, dtype=torch.long), torch.full((n,), n - 1),
        tensor(R), tensor(t_mm / UNIT_MM), tensor(np.broadcast_to(up, (rigs, 3))),
    )  # fmt: skip
