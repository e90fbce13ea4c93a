"""The covariance of labels: the detections' noise, errors that all views share, and the rig."""

import numpy as np
from jaxtyping import Float

from pipeline.geometry.triangulation.labelling import UPPER, Labelled
from pipeline.geometry.triangulation.uncertainty.agreement import agreement
from pipeline.geometry.triangulation.uncertainty.detection_noise import DetectionNoise
from pipeline.shapes import check_shapes

# The numbers of the diagonal among the six of a symmetric matrix.
DIAGONAL = UPPER[0] == UPPER[1]


@check_shapes(no_inf=("points_norm", "R", "t"))
def label_covariance(
    made: Labelled,
    points_norm: Float[np.ndarray, "frame joint view 2"],
    sigma: Float[np.ndarray, "frame joint view"],
    limit: Float[np.ndarray, "frame joint view"],
    R: Float[np.ndarray, "rig view 3 3"],
    t: Float[np.ndarray, "rig view 3"],
    noise: DetectionNoise,
    by_rig: Float[np.ndarray, "frame joint 3 3"],
) -> Float[np.ndarray, "frame joint 6"]:
    """The covariance of labels, xx, xy, xz, yy, yz, zz, in their unit squared; NaN for missing labels.

    The covariance of `made`, from the expected noise, is multiplied by the variance that the agreement of the frame's
    own views suggests. Errors that all views share move a label by as much as they move its detections, in all
    directions. `by_rig` is the covariance that comes from the rig, zero for a known one; its part of the residuals is
    not counted twice. The scale's uncertainty is not included. Raises ValueError for
    shapes that do not fit and for infinite image points or rigs.
    """
    seen, depth = agreement(made.points, points_norm, sigma, limit, R, t)
    local = noise.local_variance(seen) * (1 - noise.by_rig)
    across = np.where(made.used, (sigma * depth) ** 2, 0.0).sum(-1) / np.maximum(made.used.sum(-1), 1)
    covariance = made.covariance + noise.shared * across[..., None] * DIAGONAL
    return np.asarray(local[..., None] * covariance + by_rig[..., *UPPER])
