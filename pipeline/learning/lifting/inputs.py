"""The input of a lifting network: the joints of a view in the frame of a camera rotated towards the person.

The rotated camera is called centred, as its optical axis goes through the centre of the person's box.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pipeline.learning.lifting.projection import project, rotation_to_axis
from pipeline.skeleton import N_JOINTS

# Three numbers for each joint (position in the box, confidence) and three for the box (direction, logarithm of size).
N_FEATURES = 3 * N_JOINTS + 3
MIN_BOX_SIZE = 1e-3  # of a person's box, in normalised image coordinates


@dataclass(frozen=True)
class NetworkInput:
    """Windows of frames as input of a network; the box is the person's box in the middle frame."""

    features: Float[Tensor, "*batch time features"]  # all zero if the middle frame has no person
    points_norm: Float[Tensor, "*batch 17 2"]  # of the middle frame in the centred camera; NaN where undetected
    box_size: Float[Tensor, "*batch"]  # longer side of the box, in normalised image coordinates
    R_centred_from_cam: Float[Tensor, "*batch 3 3"]
    has_person: Bool[Tensor, "*batch"]  # whether any joint of the middle frame is detected


def network_input(
    points_norm: Float[Tensor, "*batch time 17 2"], confidence: Float[Tensor, "*batch time 17"]
) -> NetworkInput:
    """The input of a network from windows of a view's detections; undetected joints are NaN.

    In the centred camera, a pose with the same rotation relative to the viewing ray has the same projection anywhere in
    the image, so that a network need not learn perspective. All frames of a window use the middle frame's box, so that
    movement across the image remains visible.
    """
    middle_frame = points_norm.shape[-3] // 2
    middle = points_norm[..., middle_frame, :, :]
    has_person = torch.isfinite(middle).all(-1).any(-1)
    low, high = _box(middle)
    center = torch.where(has_person[..., None], (low + high) / 2, 0)
    R = rotation_to_axis(torch.cat([center, torch.ones_like(center[..., :1])], -1))
    centred = project(torch.cat([points_norm, torch.ones_like(points_norm[..., :1])], -1) @ R[..., None, :, :].mT)
    low, high = _box(centred[..., middle_frame, :, :])
    box_size = torch.where(has_person, (high - low).amax(-1).clamp(min=MIN_BOX_SIZE), 1)
    detected = torch.isfinite(centred).all(-1)
    in_box = torch.where(detected[..., None], 2 * centred / box_size[..., None, None, None], 0)
    confidence = torch.where(detected, confidence, 0)
    box = torch.cat([center, box_size.log()[..., None]], -1)
    box = box[..., None, :].expand(*confidence.shape[:-1], 3)
    features = torch.cat([in_box.flatten(-2), confidence, box], -1) * has_person[..., None, None]
    return NetworkInput(features, centred[..., middle_frame, :, :], box_size, R, has_person)


def _box(points_norm: Tensor) -> tuple[Tensor, Tensor]:
    """The corners (..., 2) of the box around detected joints (..., 17, 2); infinite where there are none."""
    missing = ~torch.isfinite(points_norm)
    return points_norm.masked_fill(missing, torch.inf).amin(-2), points_norm.masked_fill(missing, -torch.inf).amax(-2)
