"""What the networks are trained to make small; NaN in a target means: nothing known, nothing learned."""

import torch
import torch.nn.functional as F
from torch import Tensor

from pipeline.learning.engine.distributed import mean_over_processes
from pipeline.learning.images.networks import cell_centers, expectation

# Error, as a share of the crop's side, where smooth-L1 turns from squared to absolute. The paper's 1 is never
# reached in these units: its loss is the plain square, which a wrong label pulls hard.
SMOOTH_L1_BETA = 0.02


def masked_smooth_l1(predicted: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    """Mean smooth-L1 over the coordinates whose target is not NaN, over the whole batch; zero if there are none.

    `weight`, one on average, says how much each coordinate counts and broadcasts to the target.
    """
    known = torch.isfinite(target)
    errors = F.smooth_l1_loss(predicted[known], target[known], beta=SMOOTH_L1_BETA, reduction="none")
    if weight is not None:
        errors = errors * weight.expand_as(target)[known]
    return errors.sum() / mean_over_processes(known.sum()).clamp(min=1)


def heatmap_cross_entropy(scores: Tensor, target: Tensor, spread_cells: float = 1.0) -> Tensor:
    """Mean cross-entropy of plane scores (B, J, H, W) to Gaussians around targets (B, J, 2); NaN targets are left out.

    Positions are of the unit square.
    """
    known = torch.isfinite(target).all(-1)
    rows = [_gaussian(target[..., axis], scores.shape[-1 - axis], spread_cells) for axis in (1, 0)]
    wanted = rows[0][..., :, None] * rows[1][..., None, :]
    cross_entropy = -(wanted * scores.flatten(-2).log_softmax(-1).view_as(scores)).sum((-2, -1))
    return torch.where(known, cross_entropy, 0).sum() / known.sum().clamp(min=1)


def _gaussian(center: Tensor, n: int, spread_cells: float) -> Tensor:
    distance_cells = (cell_centers(n, center.device) - center.nan_to_num(0.5)[..., None]) * n
    weight = torch.exp(-0.5 * (distance_cells / spread_cells) ** 2) + 1e-12
    return weight / weight.sum(-1, keepdim=True)


def plane_loss(scores: Tensor, target: Tensor) -> Tensor:
    """The 2D detector's loss, of scores (B, J, 1, H, W) and targets (B, J, 2): cross-entropy and absolute error."""
    predicted = expectation(scores)[..., :2]
    known = torch.isfinite(target)
    absolute = (predicted[known] - target[known]).abs().sum() / known.sum().clamp(min=1)
    return heatmap_cross_entropy(scores[:, :, 0], target) + 20 * absolute
