"""Differentiable projections between the cameras of a rig, on rays: normalised image coordinates x/z and y/z.

The lens's distortion is taken out of the detections once, exactly, so a projection here is that of a pinhole: it
cannot fold, as the polynomial of a lens does far outside its image, where an untrained network's joints lie.
Points and translations of one call have one unit of length.
"""

import torch
from torch import Tensor

# Depths below this, in the unit of the points, are mapped to positive ones, ever smaller, with the same slope at the
# seam: a point behind the camera keeps a gradient that leads it out, which a clamp would kill.
LEAST_DEPTH = 0.1


def to_camera(points_world: Tensor, R_cam_from_world: Tensor, t_cam_from_world: Tensor) -> Tensor:
    """Points (..., N, 3) of the world in cameras (..., 3, 3) and (..., 3)."""
    return points_world @ R_cam_from_world.mT + t_cam_from_world[..., None, :]


def to_world(points_cam: Tensor, R_cam_from_world: Tensor, t_cam_from_world: Tensor) -> Tensor:
    """Points (..., N, 3) of cameras (..., 3, 3) and (..., 3) in the world."""
    return (points_cam - t_cam_from_world[..., None, :]) @ R_cam_from_world


def project(points_cam: Tensor) -> Tensor:
    """Rays (..., 2) of points (..., 3) in a camera's frame, with a gradient at any depth."""
    z = points_cam[..., 2:]
    z = torch.where(z > LEAST_DEPTH, z, LEAST_DEPTH**2 / (2 * LEAST_DEPTH - z.clamp(max=LEAST_DEPTH)))
    return points_cam[..., :2] / z


def turn_to(direction: Tensor) -> Tensor:
    """Rotations (..., 3, 3) that bring directions (..., 3) onto the z axis, with x as level as it was."""
    z = direction / direction.norm(dim=-1, keepdim=True)
    x = torch.linalg.cross(torch.tensor([0.0, 1.0, 0.0], dtype=z.dtype, device=z.device).expand_as(z), z)
    x = x / x.norm(dim=-1, keepdim=True).clamp(min=1e-6)
    return torch.stack([x, torch.linalg.cross(z, x), z], -2)


def best_translation(poses: Tensor, R: Tensor, t: Tensor, points_norm: Tensor, weights: Tensor) -> Tensor:
    """The world position (..., 3) of poses that fits what all cameras saw, by linear least squares.

    Poses (..., N, 3) are in the axes of the world, cameras (..., V, 3, 3) and (..., V, 3), rays (..., V, N, 2) with
    weights (..., V, N), zero where nothing was seen. Differentiable in the poses: a loss of the result is the loss
    with its translation eliminated (variable projection, Golub and Pereyra 1973).
    """
    turned = poses[..., None, :, :] @ R.mT + t[..., None, :]
    points_norm = torch.where(weights[..., None] > 0, points_norm, 0)
    # (turned + R r)_xy = ray (turned + R r)_z: two rows in r for each joint and view.
    rows = (R[..., None, :2, :] - points_norm[..., None] * R[..., None, 2:, :]).flatten(-4, -2).double()
    sides = (points_norm * turned[..., 2:] - turned[..., :2]).flatten(-3).double()
    weighted = rows * weights[..., None].expand_as(points_norm).flatten(-3)[..., None]
    ridge = 1e-9 * torch.eye(3, dtype=rows.dtype, device=rows.device)
    normal, right = weighted.mT @ rows + ridge, weighted.mT @ sides[..., None]
    return torch.linalg.solve(normal, right)[..., 0].to(poses.dtype)
