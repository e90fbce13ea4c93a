"""Virtual cameras: the labels of a moment as cameras that were not there would have seen and detected them.

Li et al. 2020, section 3.4, augment four views to twelve by projecting 3D poses. Here the poses are the labels, and
the virtual detections err as real ones of the same moment do: exact ones would teach the network to trust its input.
"""

import math

import torch
from torch import Tensor

from pipeline.learning.lifting.multi_view_frames import Windows
from pipeline.learning.lifting.projection import project, to_camera
from pipeline.skeleton import ROOT

ELEVATION_DEG = (-15.0, 50.0)  # of the cameras over the person's horizon
DISTANCE = (0.8, 1.25)  # over the distance of a real camera from the person
OFF_AXIS_DEG = 15.0  # most, of the person from the optical axis
ROLL_DEG = 5.0


def with_virtual_views(windows: Windows, n_views: int, rng: torch.Generator) -> Windows:
    """The windows with further views around the person; those of moments without a label see nothing."""
    R, t = _cameras(windows, n_views, rng)
    B, device = len(R), R.device
    # A rig of fewer cameras than others has empty places.
    filled = torch.isfinite(windows.t).all(-1).float()
    model = torch.multinomial(filled, n_views, replacement=True, generator=rng)
    rows = torch.arange(B, device=device)[:, None]
    real = project(_seen_by(windows.labels, windows.R, windows.t))
    errors = ((windows.points_norm - real) / _height(real)[..., None, None, None])[rows, model]
    ideal = project(_seen_by(windows.labels, R, t))
    points_norm = ideal + errors * _height(ideal)[..., None, None, None]
    return windows.with_views(points_norm, windows.confidence[rows, model], R, t)


def _seen_by(labels: Tensor, R: Tensor, t: Tensor) -> Tensor:
    """Labels (B, T, 17, 3) in cameras (B, W, 3, 3) and (B, W, 3): (B, W, T, 17, 3)."""
    return to_camera(labels[:, None], R[:, :, None], t[:, :, None])


def _height(points_norm: Tensor) -> Tensor:
    """Extent (B, W) of the middle frame's rays (B, W, T, 17, 2); NaN where no joint is known."""
    middle = points_norm[:, :, points_norm.shape[2] // 2]
    unknown = ~torch.isfinite(middle)
    extent = middle.masked_fill(unknown, -torch.inf).amax(2) - middle.masked_fill(unknown, torch.inf).amin(2)
    size = extent.amax(-1)
    return torch.where(torch.isfinite(size), size, torch.nan)


def _cameras(windows: Windows, n_views: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Random cameras (B, W, 3, 3) and (B, W, 3) around the root of the middle frame, upright but for a small roll."""
    B, device = len(windows.R), windows.R.device

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand((B, n_views), generator=rng, device=device)

    root = windows.labels[:, windows.labels.shape[1] // 2, ROOT]
    away = to_camera(root[:, None, None], windows.R, windows.t)[..., 0, :].norm(dim=-1).nanmean(1, keepdim=True)
    azimuth, elevation = uniform(-math.pi, math.pi), uniform(*map(math.radians, ELEVATION_DEG))
    up = windows.up[:, None]
    level = _level(up)
    side = torch.linalg.cross(up, level)
    around = azimuth.cos()[..., None] * level + azimuth.sin()[..., None] * side
    backwards = elevation.cos()[..., None] * around + elevation.sin()[..., None] * up
    z = -backwards
    x = torch.nn.functional.normalize(torch.linalg.cross(z, up.expand_as(z)), dim=-1)
    looking = torch.stack([x, torch.linalg.cross(z, x), z], -2)
    off = math.radians(OFF_AXIS_DEG)
    R = _turn(uniform(-off, off), 0) @ _turn(uniform(-off, off), 1) @ looking
    R = _turn(uniform(-math.radians(ROLL_DEG), math.radians(ROLL_DEG)), 2) @ R
    center = root[:, None] + (away * uniform(*DISTANCE))[..., None] * backwards
    return R, -(R @ center[..., None])[..., 0]


def _level(up: Tensor) -> Tensor:
    """A direction at right angles to each of `up` (..., 3)."""
    axis = torch.eye(3, device=up.device)[up.abs().argmin(-1)]
    return torch.nn.functional.normalize(axis - (axis * up).sum(-1, keepdim=True) * up, dim=-1)


def _turn(angle: Tensor, axis: int) -> Tensor:
    """Rotations (..., 3, 3) by angles (...) about an axis of the camera."""
    c, s, zero, one = angle.cos(), angle.sin(), torch.zeros_like(angle), torch.ones_like(angle)
    i, j = [k for k in range(3) if k != axis]
    entries = {(i, i): c, (j, j): c, (i, j): -s, (j, i): s, (axis, axis): one}
    return torch.stack([torch.stack([entries.get((a, b), zero) for b in range(3)], -1) for a in range(3)], -2)
