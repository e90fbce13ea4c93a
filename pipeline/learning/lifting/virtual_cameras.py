"""Virtual cameras: labels projected into additional cameras, as detections with realistic errors.

Li et al. 2020 ("Data Augmentation") extend four views to twelve by projecting 3D poses. Here the poses are the labels,
and the virtual detections get the errors of real detections of the same frame. With exact detections the network would
learn that its input has no errors.
"""

import math

import torch
from torch import Tensor

from pipeline.learning.lifting.multi_view_frames import Windows
from pipeline.learning.lifting.projection import project, to_camera
from pipeline.skeleton import ROOT

ELEVATION_DEG = (-15.0, 50.0)  # range of the cameras' elevation, seen from the person
DISTANCE = (0.8, 1.25)  # range of the distance from the person, relative to a real camera's distance
OFF_AXIS_DEG = 15.0  # largest angle, about each image axis, between the person and the optical axis
ROLL_DEG = 5.0


def with_virtual_views(windows: Windows, n_views: int, rng: torch.Generator) -> Windows:
    """The windows with further views around the person; without a label the virtual views have no detections."""
    R, t = _cameras(windows, n_views, rng)
    B, device = len(R), R.device
    # Rigs with fewer cameras than others are padded with missing cameras, which have no detection errors to copy.
    exists = torch.isfinite(windows.t).all(-1).float()
    model = torch.multinomial(exists, n_views, replacement=True, generator=rng)
    rows = torch.arange(B, device=device)[:, None]
    real = project(_in_cameras(windows.labels, windows.R, windows.t))
    errors = ((windows.points_norm - real) / _extent(real)[..., None, None, None])[rows, model]
    ideal = project(_in_cameras(windows.labels, R, t))
    points_norm = ideal + errors * _extent(ideal)[..., None, None, None]
    return windows.with_views(points_norm, windows.confidence[rows, model], R, t)


def _in_cameras(labels: Tensor, R: Tensor, t: Tensor) -> Tensor:
    """Labels (B, T, 17, 3) in cameras (B, W, 3, 3) and (B, W, 3): (B, W, T, 17, 3)."""
    return to_camera(labels[:, None], R[:, :, None], t[:, :, None])


def _extent(points_norm: Tensor) -> Tensor:
    """Longer side (B, W) of the box of the middle frame's joints (B, W, T, 17, 2); NaN where none is known."""
    middle = points_norm[:, :, points_norm.shape[2] // 2]
    unknown = ~torch.isfinite(middle)
    extent = middle.masked_fill(unknown, -torch.inf).amax(2) - middle.masked_fill(unknown, torch.inf).amin(2)
    size = extent.amax(-1)
    return torch.where(torch.isfinite(size), size, torch.nan)


def _cameras(windows: Windows, n_views: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Random cameras (B, W, 3, 3) and (B, W, 3) around the root of the middle frame, with a small roll."""
    B, device = len(windows.R), windows.R.device

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand((B, n_views), generator=rng, device=device)

    root = windows.labels[:, windows.labels.shape[1] // 2, ROOT]
    real_distance = to_camera(root[:, None, None], windows.R, windows.t)[..., 0, :].norm(dim=-1)
    real_distance = real_distance.nanmean(1, keepdim=True)
    azimuth, elevation = uniform(-math.pi, math.pi), uniform(*map(math.radians, ELEVATION_DEG))
    up = windows.up[:, None]
    level = _level(up)
    side = torch.linalg.cross(up, level)
    around = azimuth.cos()[..., None] * level + azimuth.sin()[..., None] * side
    backwards = elevation.cos()[..., None] * around + elevation.sin()[..., None] * up
    z = -backwards
    x = torch.nn.functional.normalize(torch.linalg.cross(z, up.expand_as(z)), dim=-1)
    towards_person = torch.stack([x, torch.linalg.cross(z, x), z], -2)
    off_axis = math.radians(OFF_AXIS_DEG)
    R = _rotation(uniform(-off_axis, off_axis), 0) @ _rotation(uniform(-off_axis, off_axis), 1) @ towards_person
    R = _rotation(uniform(-math.radians(ROLL_DEG), math.radians(ROLL_DEG)), 2) @ R
    center = root[:, None] + (real_distance * uniform(*DISTANCE))[..., None] * backwards
    return R, -(R @ center[..., None])[..., 0]


def _level(up: Tensor) -> Tensor:
    """A direction at right angles to each of `up` (..., 3)."""
    axis = torch.eye(3, device=up.device)[up.abs().argmin(-1)]
    return torch.nn.functional.normalize(axis - (axis * up).sum(-1, keepdim=True) * up, dim=-1)


def _rotation(angle: Tensor, axis: int) -> Tensor:
    """Rotations (..., 3, 3) by angles (...) about an axis of the camera."""
    c, s, zero, one = angle.cos(), angle.sin(), torch.zeros_like(angle), torch.ones_like(angle)
    i, j = [k for k in range(3) if k != axis]
    entries = {(i, i): c, (j, j): c, (i, j): -s, (j, i): s, (axis, axis): one}
    return torch.stack([torch.stack([entries.get((a, b), zero) for b in range(3)], -1) for a in range(3)], -2)
