"""Moments of footage as all views of a rig see them, and random batches of them: what lifting trains on.

Lengths are of UNIT_MM. Views beyond those of a rig, unseen joints, unknown labels and unknown cameras are NaN.
"""

from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from torch import Tensor

from pipeline.skeleton import MIRROR

# A pose in this unit (metres, for rigs in millimetres) has a spread near one, as networks like it.
UNIT_MM = 1000.0


@dataclass(frozen=True)
class MultiViewFrames:
    """M moments of recordings one after the other, seen by up to V views."""

    points_norm: Tensor  # (M, V, 17, 2) detections, lens distortion removed
    confidence: Tensor  # (M, V, 17)
    labels: Tensor  # (M, 17, 3) in the rig's world
    label_weight: Tensor  # (M, 17) how much each label counts
    rig: Tensor  # (M,) row of R and t
    first: Tensor  # (M,) where the moment's recording begins
    last: Tensor  # (M,) and its last moment
    R: Tensor  # (G, V, 3, 3) cameras from the world
    t: Tensor  # (G, V, 3)
    up: Tensor  # (G, 3) the vertical in the world

    def __len__(self) -> int:
        return len(self.points_norm)

    @property
    def seen(self) -> Tensor:
        """Whether any view saw a person, (M,)."""
        return torch.isfinite(self.points_norm).all(-1).any(-1).any(-1)

    @property
    def labelled(self) -> Tensor:
        """Whether any joint has a label, (M,)."""
        return torch.isfinite(self.labels).all(-1).any(-1)

    def windows(self, moments: Tensor, frames: int) -> "Windows":
        """The moments (B,) with the frames around them; beyond a recording its end is repeated."""
        around = torch.arange(frames, device=moments.device) - frames // 2
        rows = (moments[:, None] + around).clamp(self.first[moments, None], self.last[moments, None])
        rig = self.rig[moments]
        return Windows(
            self.points_norm[rows].transpose(1, 2), self.confidence[rows].transpose(1, 2), self.labels[rows],
            self.label_weight[moments], self.R[rig], self.t[rig], self.up[rig],
        )  # fmt: skip

    def weighed(self, label_weight: np.ndarray) -> "MultiViewFrames":
        """The same moments, their labels counting by these weights (M, 17) instead of all alike."""
        return replace(self, label_weight=torch.from_numpy(label_weight.astype(np.float32)))

    def to(self, device: torch.device) -> "MultiViewFrames":
        """On a device."""
        return MultiViewFrames(*(getattr(self, field.name).to(device) for field in fields(self)))


@dataclass(frozen=True)
class Windows:
    """Windows of T frames around B moments."""

    points_norm: Tensor  # (B, V, T, 17, 2)
    confidence: Tensor  # (B, V, T, 17)
    labels: Tensor  # (B, T, 17, 3)
    label_weight: Tensor  # (B, 17) of the middle frame
    R: Tensor  # (B, V, 3, 3)
    t: Tensor  # (B, V, 3)
    up: Tensor  # (B, 3)

    def mirrored(self, which: Tensor) -> "Windows":
        """The moments of `which` (B,) as a mirror would show them: a whole rig and its person, left and right."""
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
        """The same moments with further views (B, W, ...)."""
        ours, more = (self.points_norm, self.confidence, self.R, self.t), (points_norm, confidence, R, t)
        joined = [torch.cat(pair, 1) for pair in zip(ours, more, strict=True)]
        return replace(self, points_norm=joined[0], confidence=joined[1], R=joined[2], t=joined[3])


def joined(parts: list[MultiViewFrames]) -> MultiViewFrames:
    """Several recordings' moments as one, padded to the same number of views."""
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
    points_norm: np.ndarray,
    confidence: np.ndarray,
    labels_mm: np.ndarray,
    R: np.ndarray,
    t_mm: np.ndarray,
    up: np.ndarray,
) -> MultiViewFrames:
    """A recording's moments from rays (F, V, 17, 2), confidences (F, V, 17) and labels (F, 17, 3) of its world.

    Cameras are one rig, (1, V, 3, 3) and (1, V, 3), or one rig per frame; `up` (3,) is the vertical.
    """
    n, rigs = len(points_norm), len(R)

    def tensor(values: np.ndarray) -> Tensor:
        return torch.from_numpy(np.asarray(values, np.float32))

    return MultiViewFrames(
        tensor(points_norm), tensor(confidence), tensor(labels_mm / UNIT_MM), torch.ones(labels_mm.shape[:2]),
        torch.arange(n) if rigs > 1 else torch.zeros(n, dtype=torch.long),
        torch.zeros(n, dtype=torch.long), torch.full((n,), n - 1),
        tensor(R), tensor(t_mm / UNIT_MM), tensor(np.broadcast_to(up, (rigs, 3))),
    )  # fmt: skip
