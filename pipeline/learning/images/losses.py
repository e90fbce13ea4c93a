"""The losses of the image networks; coordinates whose target is NaN are ignored."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from pipeline.learning.engine.distributed import mean_over_processes
from pipeline.learning.images.networks import cell_centers, expectation

# Error, as a share of the crop's side, above which smooth-L1 is absolute and no longer squared. With the paper's value
# of 1, no error in these units reaches the absolute part, so wrong labels would have much influence.
SMOOTH_L1_BETA = 0.02
# Weight of the absolute error, relative to the cross-entropy, in the detector's loss.
ABSOLUTE_ERROR_WEIGHT = 20


def masked_smooth_l1(
    predicted: Float[Tensor, "*batch"], target: Float[Tensor, "*batch"], weight: Tensor | None = None
) -> Float[Tensor, ""]:
    """Mean smooth-L1 over the coordinates whose target is not NaN, over all processes; zero if there are none.

    `weight`, one on average, scales each coordinate's error and broadcasts to the target.
    """
    known = torch.isfinite(target)
    errors = F.smooth_l1_loss(predicted[known], target[known], beta=SMOOTH_L1_BETA, reduction="none")
    if weight is not None:
        errors = errors * weight.expand_as(target)[known]
    return errors.sum() / mean_over_processes(known.sum()).clamp(min=1)


def heatmap_cross_entropy(
    scores: Float[Tensor, "batch joint height width"], target: Float[Tensor, "batch joint 2"], std_cells: float = 1.0
) -> Float[Tensor, ""]:
    """Mean cross-entropy of planes of scores to Gaussians around targets in the unit square."""
    known = torch.isfinite(target).all(-1)
    rows = [_gaussian(target[..., axis], scores.shape[-1 - axis], std_cells) for axis in (1, 0)]
    wanted = rows[0][..., :, None] * rows[1][..., None, :]
    cross_entropy = -(wanted * scores.flatten(-2).log_softmax(-1).view_as(scores)).sum((-2, -1))
    return torch.where(known, cross_entropy, 0).sum() / known.sum().clamp(min=1)


def _gaussian(center: Tensor, n: int, std_cells: float) -> Tensor:
    distance_cells = (cell_centers(n, center.device) - center.nan_to_num(0.5)[..., None]) * n
    weight = torch.exp(-0.5 * (distance_cells / std_cells) ** 2) + 1e-12
    return weight / weight.sum(-1, keepdim=True)


def detector_loss(
    scores: Float[Tensor, "batch joint 1 height width"], target: Float[Tensor, "batch joint 2"]
) -> Float[Tensor, ""]:
    """The 2D detector's loss: cross-entropy of the scores, plus the absolute error of their expectation."""
    predicted = expectation(scores)[..., :2]
    known = torch.isfinite(target)
    absolute = (predicted[known] - target[known]).abs().sum() / known.sum().clamp(min=1)
    return heatmap_cross_entropy(scores[:, :, 0], target) + ABSOLUTE_ERROR_WEIGHT * absolute
