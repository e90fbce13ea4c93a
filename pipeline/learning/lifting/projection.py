"""Differentiable projections between the cameras of a rig, in normalised image coordinates: x/z and y/z.

Lens distortion is removed from the detections beforehand, so cameras here are pinhole cameras. The
polynomial of a lens folds back far outside the image, where the joints of an untrained network lie; a pinhole does not.
Points and translations of one call have the same unit of length.
"""

import torch
from jaxtyping import Float
from torch import Tensor

# Depths below this, in the unit of the points, are mapped to positive depths, continuously and with the same slope, so
# that a point behind the camera has a gradient that moves it to the front. With a clamp it would have no gradient.
MIN_DEPTH = 0.1


def to_camera(
    points_world: Float[Tensor, "*#batch point 3"],
    R_cam_from_world: Float[Tensor, "*#batch 3 3"],
    t_cam_from_world: Float[Tensor, "*#batch 3"],
) -> Float[Tensor, "... point 3"]:
    """Points in the frames of cameras from points in the world."""
    return points_world @ R_cam_from_world.mT + t_cam_from_world[..., None, :]


def to_world(
    points_cam: Float[Tensor, "*#batch point 3"],
    R_cam_from_world: Float[Tensor, "*#batch 3 3"],
    t_cam_from_world: Float[Tensor, "*#batch 3"],
) -> Float[Tensor, "... point 3"]:
    """Points in the world from points in the frames of cameras."""
    return (points_cam - t_cam_from_world[..., None, :]) @ R_cam_from_world


def project(points_cam: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 2"]:
    """Normalised image coordinates of points in a camera's frame, with a gradient at any depth."""
    z = points_cam[..., 2:]
    z = torch.where(z > MIN_DEPTH, z, MIN_DEPTH**2 / (2 * MIN_DEPTH - z.clamp(max=MIN_DEPTH)))
    return points_cam[..., :2] / z


def rotation_to_axis(direction: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3 3"]:
    """Rotations that bring directions onto the z axis without a roll: the x axis stays in the x-z plane."""
    z = direction / direction.norm(dim=-1, keepdim=True)
    x = torch.linalg.cross(torch.tensor([0.0, 1.0, 0.0], dtype=z.dtype, device=z.device).expand_as(z), z)
    x = x / x.norm(dim=-1, keepdim=True).clamp(min=1e-6)
    return torch.stack([x, torch.linalg.cross(z, x), z], -2)


def best_translation(
    poses: Float[Tensor, "*#batch point 3"],
    R: Float[Tensor, "*#batch view 3 3"],
    t: Float[Tensor, "*#batch view 3"],
    points_norm: Float[Tensor, "*#batch view point 2"],
    weights: Float[Tensor, "*#batch view point"],
) -> Float[Tensor, "... 3"]:
    """The world position at which a pose fits the detections of all cameras best, by linear least squares.

    The pose is in the axes of the world; R and t are the cameras from the world. Points of weight zero are ignored.
    Differentiable in the pose: a loss of the result is a loss with the translation eliminated (variable projection,
    Golub and Pereyra 1973).
    """
    rotated = poses[..., None, :, :] @ R.mT + t[..., None, :]
    points_norm = torch.where(weights[..., None] > 0, points_norm, 0)
    # (rotated + R r)_xy = point_norm (rotated + R r)_z: two equations in r for each joint and view.
    rows = (R[..., None, :2, :] - points_norm[..., None] * R[..., None, 2:, :]).flatten(-4, -2).double()
    sides = (points_norm * rotated[..., 2:] - rotated[..., :2]).flatten(-3).double()
    weighted = rows * weights[..., None].expand_as(points_norm).flatten(-3)[..., None]
    ridge = 1e-9 * torch.eye(3, dtype=rows.dtype, device=rows.device)
    normal, right = weighted.mT @ rows + ridge, weighted.mT @ sides[..., None]
    solution: Tensor = torch.linalg.solve(normal, right)
    return solution[..., 0].to(poses.dtype)
