"""Robust bundle adjustment: all cameras and all points of a rig at once, and optionally the cameras' focal lengths.

Levenberg-Marquardt with analytic derivatives on the Geman-McClure cost, whose scale follows the noise found in the
residuals; points are eliminated by the Schur complement (Triggs et al., Bundle adjustment: a modern synthesis, 1999,
sections 3 to 6). The seven gauge freedoms of the world frame are not fixed: the damping handles them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, Shaped

from pipeline.geometry.calibration import bundle_kernels
from pipeline.geometry.calibration.focal_prior import EXACT, Focal
from pipeline.geometry.calibration.gauge import gauge_basis, root_of_inverse, units_of
from pipeline.geometry.calibration.shared_errors import clustered_covariance, variance_inflation_of
from pipeline.shapes import check_shapes

# Scales of the robust kernel in standard deviations, one for each stage: from a poor start, and from a good one.
START_WIDTHS = (10.0, 6.0)
FINAL_WIDTHS = (6.0, 6.0)
STEPS_PER_WIDTH = 10
# Lower bound of the noise as a share of the expected sigma, so that exact data cause no division by zero.
MIN_NOISE = 1e-4
ENOUGH = 1e-5  # relative decrease of the cost below which a stage ends
# The median of the larger of two absolute standard normal deviates.
MEDIAN_OF_LARGER = 1.0516


@dataclass(frozen=True)
class AdjustedRig:
    """A rig after the adjustment."""

    R: Float[np.ndarray, "view 3 3"]  # camera from world
    t: Float[np.ndarray, "view 3"]
    points: Float[np.ndarray, "point 3"]
    focal: Focal  # the prior
    focal_scale: Float[np.ndarray, " view"]  # the focal lengths found over those given
    noise: float  # standard deviation of the residuals, as a multiple of the expected sigma
    weights: Float[np.ndarray, "point view"]  # of the robust cost: 1 inlier, 0 outlier or not seen
    cost: float  # robust cost: about the number of outliers


@dataclass(frozen=True)
class Uncertainty:
    """Uncertainty of an adjusted rig, without the gauge freedoms: the world's frame and scale."""

    # Of all cameras' (rotation vector in rad, translation): with w and d of a camera, its extrinsics are off by
    # R -> exp(w) R and t -> exp(w) t + d, both in the camera's frame.
    pose_covariance: Float[np.ndarray, "unknown unknown"]
    # The same with each focal length's error as the translation along the optical axis that moves the images of the
    # points in their median depth alike. This is what points triangulated with the rig suffer: most of the uncertainty
    # of a focal length and of the camera's distance cancels in them.
    image_covariance: Float[np.ndarray, "unknown unknown"]
    focal_std: Float[np.ndarray, " view"]  # relative; 0 if the focal lengths are exact
    variance_inflation: float  # factor by which errors shared by points enlarge the covariance


@check_shapes(no_inf=("points_norm", "R", "t"))
def adjust(
    points_norm: Float[np.ndarray, "point view 2"],
    sigma: Float[np.ndarray, "point view"],
    R: Float[np.ndarray, "view 3 3"],
    t: Float[np.ndarray, "view 3"],
    points: Float[np.ndarray, "point 3"],
    widths: Sequence[float],
    *,
    focal: Focal = EXACT,
    focal_scale: Float[np.ndarray, " view"] | None = None,
    groups: Sequence[Shaped[np.ndarray, " point"]] = (),
    noise: float | None = None,
) -> AdjustedRig:
    """Adjust cameras and points to normalised image points with standard deviations sigma.

    Image points and sigma are normalised with the given focal lengths: the prediction is focal_scale * (x / z, y / z),
    where the scale is 1 at the start unless it is given, and stays so if the focal lengths are exact. NaN image points
    and infinite sigma count as not seen. Points that are NaN or seen in fewer than two views are not used and are NaN
    in the result; every camera must have extrinsics. `widths` are the scales of the robust kernel in units of the
    noise, one for each stage; without any, the rig is measured without being adjusted. The noise is estimated unless it
    is given. `groups` are those of `uncertainty`: errors shared by points reduce the weight of the points against the
    focal prior. Raises ValueError for shapes that do not fit and for infinite values other than those of sigma.
    """
    problem = _Problem.of(points_norm, sigma, points, focal)
    scale = np.ones(len(t)) if focal_scale is None else focal_scale.astype(float)
    state = _State(R.astype(float), t.astype(float), points[problem.used].astype(float), scale)
    found, variance_inflation = noise or problem.noise(state), 1.0
    for width in widths:
        weight = variance_inflation * found**2
        problem.descend(state, width * found, weight)
        found = noise or problem.noise(state)
        if focal.is_open:
            root, scores = problem.linearised(state, width * found, weight)
            variance_inflation = variance_inflation_of(scores @ root, [group[problem.used] for group in groups])
    weights = problem.weights(state, (*FINAL_WIDTHS, *widths)[-1] * found)
    return AdjustedRig(
        state.R, state.t, problem.over_all(state.X, np.nan), focal, state.focal, found,
        problem.over_all(weights, 0.0), float((1 - np.sqrt(weights[problem.inverse_sigma > 0])).sum()),
    )  # fmt: skip


@check_shapes(no_inf=("points_norm",))
def uncertainty(
    adjusted: AdjustedRig,
    points_norm: Float[np.ndarray, "point view 2"],
    sigma: Float[np.ndarray, "point view"],
    groups: Sequence[Shaped[np.ndarray, " point"]] = (),
    cells: Int[np.ndarray, "point 2"] | None = None,
) -> Uncertainty:
    """Estimate the uncertainty of a rig that was adjusted to normalised image points with standard deviations sigma.

    `groups` number the points in one or two ways. Points of one number, such as those of frames with similar poses or
    those of one joint, may share their errors; the amount is estimated from the residuals as one factor for all
    directions. `cells`, the landmark and the block of time of each point, both from 0, replace this factor by the
    covariance of `clustered_covariance`. Raises ValueError for shapes that do not fit and infinite image points.
    """
    problem = _Problem.of(points_norm, sigma, adjusted.points, adjusted.focal)
    state = _State(adjusted.R, adjusted.t, adjusted.points[problem.used], adjusted.focal_scale)
    width, own = FINAL_WIDTHS[-1] * adjusted.noise, [group[problem.used] for group in groups]
    (variance, newton), weight, inflation = problem.variance(state, width), 0.0, 1.0
    clustered = cells is not None and np.isfinite(variance)
    # The inflation increases the weight of the focal prior, which in turn changes the inflation a little.
    for _ in range(2 if adjusted.focal.is_open else 0 if clustered else 1):
        weight = inflation * adjusted.noise**2
        root, scores = problem.linearised(state, width, weight)
        inflation = variance_inflation_of(scores @ root, own)
    if cells is not None and clustered:
        information, score = problem.by_cell(state, width, cells[problem.used])
        root = problem.root(state, information.sum((0, 1)), weight)
        information, score = root.T @ information @ root, score @ root
        whitened = clustered_covariance(information, score, variance=variance, newton=newton)
        inflation = float(np.trace(whitened)) / (len(whitened) * variance)
    else:
        whitened = inflation * variance * np.eye(root.shape[1])
    covariance = root @ whitened @ root.T
    of_poses, to_image = problem.of_poses, problem.poses_like(state)
    return Uncertainty(
        covariance[np.ix_(of_poses, of_poses)], to_image @ covariance @ to_image.T,
        np.sqrt(np.diagonal(covariance)[~of_poses]) if adjusted.focal.is_open else np.zeros(len(state.R)), inflation,
    )  # fmt: skip


@dataclass
class _State:
    R: np.ndarray
    t: np.ndarray
    X: np.ndarray
    focal: np.ndarray  # (V,)


@dataclass(frozen=True)
class _Problem:
    points_norm: np.ndarray  # (M, V, 2) of the used points
    inverse_sigma: np.ndarray  # (M, V); 0 where not seen
    used: np.ndarray  # (N,) which points are used
    prior: np.ndarray  # (V, V) information on the logarithms of the focal scales; empty: they are exact

    @classmethod
    def of(cls, points_norm: np.ndarray, sigma: np.ndarray, points: np.ndarray, focal: Focal) -> "_Problem":
        seen = np.isfinite(points_norm).all(-1) & np.isfinite(sigma)
        used = (seen.sum(-1) >= 2) & np.isfinite(points).all(-1)
        seen, points_norm, sigma = seen[used], points_norm[used], sigma[used]
        inverse = np.where(seen, 1 / np.where(seen, sigma, 1.0), 0.0)
        prior = focal.information(points_norm.shape[1])
        return cls(np.where(seen[..., None], points_norm, 0.0), inverse, used, prior)

    @property
    def of_poses(self) -> np.ndarray:
        """Which of the unknowns (D,) are those of the cameras' poses; the others are those of the focal lengths."""
        n_views = self.inverse_sigma.shape[1]
        return np.tile([True] * 6 + [False], n_views) if len(self.prior) else np.ones(6 * n_views, bool)

    def poses_like(self, state: _State) -> np.ndarray:
        """The matrix (6V, D) from steps of the unknowns to steps of the poses that move the points' images alike."""
        of_poses = self.of_poses
        to_image = np.eye(len(of_poses))[of_poses]
        if len(self.prior):
            depth = state.X @ state.R[:, 2].T + state.t[:, 2]
            for v, own in enumerate(depth.T):
                seen = self.inverse_sigma[:, v] > 0
                to_image[6 * v + 5, 7 * v + 6] = -np.median(own[seen]) if seen.any() else 0.0
        return to_image

    def over_all(self, values: np.ndarray, missing: float) -> np.ndarray:
        """Values of the used points as an array for all points."""
        full = np.full((len(self.used), *values.shape[1:]), missing)
        full[self.used] = values
        return full

    def residual(self, state: _State) -> np.ndarray:
        out = np.empty_like(self.points_norm)
        bundle_kernels.residuals(self.points_norm, self.inverse_sigma, state.R, state.t, state.X, state.focal, out)
        return out

    def freedom(self) -> float:
        """Degrees of freedom per residual: three unknowns per point, six per camera, less seven gauge freedoms."""
        n = 2 * np.count_nonzero(self.inverse_sigma)
        unknowns = 3 * len(self.points_norm) + 6 * self.points_norm.shape[1] - 7
        return max(n - unknowns, 1) / max(n, 1)

    def noise(self, state: _State) -> float:
        """Standard deviation of one coordinate's residuals, from their median, corrected for degrees of freedom."""
        size = np.abs(self.residual(state)).max(-1)[self.inverse_sigma > 0]
        median = float(np.median(size)) / MEDIAN_OF_LARGER if len(size) else 1.0
        return max(median / np.sqrt(self.freedom()), MIN_NOISE)

    def descend(self, state: _State, width: float, weight: float) -> None:
        bundle_kernels.descend(
            self.points_norm, self.inverse_sigma, state.R, state.t, state.X, state.focal,
            weight * self.prior, width, STEPS_PER_WIDTH, ENOUGH,
        )  # fmt: skip

    def weights(self, state: _State, width: float) -> np.ndarray:
        """Robust weights (M, V)."""
        share = (self.residual(state) ** 2).sum(-1) / width**2
        return np.where(self.inverse_sigma > 0, 1 / (1 + share) ** 2, 0.0)

    def linearised(self, state: _State, width: float, weight: float) -> tuple[np.ndarray, np.ndarray]:
        """The root of the reduced system's inverse, see `root`, and each point's contribution (M, D)."""
        S, scores = self.reduced(state, width, np.s_[:])
        return self.root(state, S, weight), scores

    def root(self, state: _State, S: np.ndarray, weight: float) -> np.ndarray:
        """A (D, D - 7) with A @ A.T the inverse of the reduced system S, to which the weighted focal prior is added.

        The gauge freedoms of the world's frame and scale are removed (inner constraints).
        """
        of_poses = self.of_poses
        free, units = np.zeros((len(S), 7)), np.ones(len(S))
        free[of_poses], units[of_poses] = gauge_basis(state.R, state.t), units_of(state.R, state.t)
        if len(self.prior):
            S[np.ix_(~of_poses, ~of_poses)] += weight * self.prior
        return root_of_inverse(S, free, units)

    def reduced(self, state: _State, width: float, points: slice | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The reduced system (D, D) of some points, and the contribution (M, D) of each."""
        x, inverse, X = self.points_norm[points], self.inverse_sigma[points], state.X[points]
        N, D = len(inverse), len(self.of_poses)
        S, scores, to_points, own = np.empty((D, D)), np.empty((N, D)), np.empty((N, 3, D)), np.empty((N, 3))
        bundle_kernels.normal_equations(
            x, inverse, state.R, state.t, X, state.focal, width, 0.0, S, scores, to_points, own
        )  # fmt: skip
        return S, scores

    def by_cell(self, state: _State, width: float, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The reduced systems (L, B, D, D) of the points of each cell, and their right-hand sides.

        `cells` (M, 2) holds each point's indices of L and B.
        """
        shape, D = cells.max(0, initial=0) + 1, len(self.of_poses)
        information, score = np.zeros((*shape, D, D)), np.zeros((*shape, D))
        number = np.ravel_multi_index(tuple(cells.T), tuple(shape))
        order = np.argsort(number, kind="stable")
        for points in np.split(order, np.flatnonzero(np.diff(number[order])) + 1):
            if len(points):
                S, scores = self.reduced(state, width, points)
                cell = tuple(cells[points[0]])
                information[cell], score[cell] = S, scores.sum(0)
        return information, score

    def variance(self, state: _State, width: float) -> tuple[float, float]:
        """The factor that turns the inverse of the weighted normal equations into a covariance, and Newton's factor.

        The factor of an M-estimator (Huber, Robust statistics, 1981, section 7.6), corrected for degrees of freedom.
        Newton's factor is the length of a Newton step over that of a step of the weighted normal equations.
        """
        seen = self.inverse_sigma > 0
        w = self.weights(state, width)[seen]
        if not len(w):
            return np.nan, np.nan
        share = 1 / np.sqrt(w) - 1  # squared residual over the squared width
        score = (w**2 * share).mean() * width**2 / 2
        slope = max((w * (1 - 2 * share / (1 + share))).mean(), 0.05)
        variance = float(w.mean() * score / slope**2) / self.freedom()
        return max(variance, MIN_NOISE**2), float(w.mean() / slope)
