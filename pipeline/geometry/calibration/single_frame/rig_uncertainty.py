"""The covariance of a single frame's rig, from the image points and the prior on the person's lengths."""

import numpy as np
from jaxtyping import Float

from pipeline.geometry.calibration.gauge import gauge_basis, root_of_inverse, units_of
from pipeline.geometry.calibration.single_frame.body_prior import LengthPrior, inverse_sigma
from pipeline.geometry.calibration.single_frame.body_prior_kernel import normal_equations
from pipeline.shapes import check_shapes

# Share of the mean information that is added to each point's, so that a point seen by no view can be eliminated.
TINY = 1e-9


@check_shapes(no_inf=("points_norm", "R", "t", "points"))
def pose_covariance(
    points_norm: Float[np.ndarray, "point view 2"],
    sigma: Float[np.ndarray, "point view"],
    R: Float[np.ndarray, "view 3 3"],
    t: Float[np.ndarray, "view 3"],
    points: Float[np.ndarray, "point 3"],
    prior: LengthPrior,
    *,
    width: float,
    noise: float,
) -> Float[np.ndarray, "unknown unknown"]:
    """The covariance of all cameras' rotation vectors and translations, of an adjustment by `adjust_to_body`.

    The unknowns are those of `bundle.Uncertainty`; the gauge freedoms, scale included, are removed. Raises ValueError
    as `adjust_to_body` does.
    """
    known = np.isfinite(points).all(-1)
    first, D = 6 * len(R), 6 * len(R) + 3 * len(points)
    H, g = np.empty((D, D)), np.empty(D)
    rows, X = prior.among(known), np.where(known[:, None], points, 0.0)
    normal_equations(
        np.where(np.isfinite(points_norm), points_norm, 0.0), inverse_sigma(points_norm, sigma * noise, known),
        R, t, X, width, prior.segments, rows.rows, rows.expected, 1 / rows.std, H, g,
    )  # fmt: skip
    used = first + np.flatnonzero(np.repeat(known, 3))
    own = H[np.ix_(used, used)]
    own += np.eye(len(own)) * TINY * np.trace(own) / max(len(own), 1)
    between = H[:first, used]
    reduced = H[:first, :first] - between @ np.linalg.solve(own, between.T)
    root = root_of_inverse(reduced, gauge_basis(R, t), units_of(R, t))
    return np.asarray(root @ root.T)
