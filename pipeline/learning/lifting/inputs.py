"""What a lifting network sees: the joints of a view in the frame of a camera turned towards the person."""

from dataclasses import dataclass

import torch
from torch import Tensor

from pipeline.learning.lifting.projection import project, turn_to
from pipeline.skeleton import N_JOINTS

# Three numbers a joint (place in the box, confidence) and three of the box (its direction, the logarithm of its size).
N_FEATURES = 3 * N_JOINTS + 3
LEAST_SIZE = 1e-3  # of a person's box, in rays


@dataclass(frozen=True)
class Window:
    """Windows of frames as a network sees them; the middle frame's box says where the camera is turned."""

    features: Tensor  # (..., T, N_FEATURES), all zero where nobody is seen
    points_norm: Tensor  # (..., 17, 2) of the middle frame in the turned camera; NaN where unseen
    size: Tensor  # (...) longer side of the person's box, in rays
    turn: Tensor  # (..., 3, 3) from the camera's frame to the turned one
    there: Tensor  # (...) whether any joint of the middle frame is seen


def look(points_norm: Tensor, confidence: Tensor) -> Window:
    """Windows of a view's rays (..., T, 17, 2) and confidences (..., T, 17); NaN where unseen.

    A network then need not learn perspective: the same pose turned towards the camera looks the same anywhere in the
    image. All frames share the middle one's box, so that movement across the image is seen.
    """
    middle = points_norm[..., points_norm.shape[-3] // 2, :, :]
    there = torch.isfinite(middle).all(-1).any(-1)
    low, high = _box(middle)
    center = torch.where(there[..., None], (low + high) / 2, 0)
    turn = turn_to(torch.cat([center, torch.ones_like(center[..., :1])], -1))
    turned = project(torch.cat([points_norm, torch.ones_like(points_norm[..., :1])], -1) @ turn[..., None, :, :].mT)
    low, high = _box(turned[..., points_norm.shape[-3] // 2, :, :])
    size = torch.where(there, (high - low).amax(-1).clamp(min=LEAST_SIZE), 1)
    seen = torch.isfinite(turned).all(-1)
    placed = torch.where(seen[..., None], 2 * turned / size[..., None, None, None], 0)
    sure = torch.where(seen, confidence, 0)
    box = torch.cat([center, size.log()[..., None]], -1)
    features = torch.cat([placed.flatten(-2), sure, box[..., None, :].expand(*sure.shape[:-1], 3)], -1)
    return Window(features * there[..., None, None], turned[..., points_norm.shape[-3] // 2, :, :], size, turn, there)


def _box(points_norm: Tensor) -> tuple[Tensor, Tensor]:
    """The corners (..., 2) of the box around rays (..., 17, 2); of no joints, infinite."""
    unseen = ~torch.isfinite(points_norm)
    return points_norm.masked_fill(unseen, torch.inf).amin(-2), points_norm.masked_fill(unseen, -torch.inf).amax(-2)
