"""Robust bundle adjustment: all cameras and all points of a rig at once, and optionally their common focal scale.

Levenberg-Marquardt with analytic derivatives on the Geman-McClure cost, whose scale follows the noise found in the
residuals; points are eliminated by the Schur complement (Triggs et al., Bundle adjustment: a modern synthesis, 1999,
sections 3 to 6). The seven gauge freedoms of the world frame are not fixed: the damping handles them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int, Shaped

from pipeline.geometry.calibration import bundle_kernels
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
class Focal:
    """Prior on the cameras' focal lengths: one scale common to all given focal lengths, and its standard deviation."""

    scale: float = 1.0
    std: float = 0.0  # relative; 0: exact, infinite: unknown

    @property
    def is_open(self) -> bool:
        """Whether the scale is unknown or approximate."""
        return self.std > 0

    def information(self, noise: float) -> float:
        """The information on the logarithm of the scale, in units of one residual's information; infinite if exact."""
        return (noise / self.std) ** 2 if self.std > 0 else np.inf


EXACT = Focal()


@dataclass(frozen=True)
class AdjustedRig:
    """A rig after the adjustment."""

    R: Float[np.ndarray, "view 3 3"]  # camera from world
    t: Float[np.ndarray, "view 3"]
    points: Float[np.ndarray, "point 3"]
    focal: Focal  # the prior, with the scale found
    noise: float  # standard deviation of the residuals, as a multiple of the expected sigma
    weights: Float[np.ndarray, "point view"]  # of the robust cost: 1 inlier, 0 outlier or not seen
    cost: float  # robust cost: about the number of outliers


@dataclass(frozen=True)
class Uncertainty:
    """Uncertainty of an adjusted rig, without the gauge freedoms: the world's frame and scale."""

    # Of all cameras' (rotation vector in rad, translation): with w and d of a camera, its extrinsics are off by
    # R -> exp(w) R and t -> exp(w) t + d, both in the camera's frame.
    pose_covariance: Float[np.ndarray, "unknown unknown"]
    focal_std: float  # relative
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
    groups: Sequence[Shaped[np.ndarray, " point"]] = (),
    noise: float | None = None,
) -> AdjustedRig:
    """Adjust cameras and points to normalised image points with standard deviations sigma.

    Image points and sigma are normalised with the given focal lengths: the prediction is focal.scale * (x / z, y / z).
    NaN image points and infinite sigma count as not seen. Points that are NaN or seen in fewer than two views are not
    used and are NaN in the result; every camera must have extrinsics. `widths` are the scales of the robust kernel in
    units of the noise, one for each stage; without any, the rig is measured without being adjusted. The noise is
    estimated unless it is given. `groups` are those of `uncertainty`: errors shared by points reduce the weight of the
    points against the focal prior. Raises ValueError for shapes that do not fit and for infinite values other than
    those of sigma.
    """
    problem = _Problem.of(points_norm, sigma, points)
    state = _State(R.astype(float), t.astype(float), points[problem.used].astype(float), focal.scale)
    scale, variance_inflation = noise or problem.noise(state), 1.0
    for width in widths:
        prior = variance_inflation * focal.information(scale)
        problem.descend(state, width * scale, prior)
        scale = noise or problem.noise(state)
        if focal.is_open:
            root, scores = problem.linearised(state, width * scale, prior)
            variance_inflation = variance_inflation_of(scores @ root, [group[problem.used] for group in groups])
    weights = problem.weights(state, (*FINAL_WIDTHS, *widths)[-1] * scale)
    return AdjustedRig(
        state.R, state.t, problem.over_all(state.X, np.nan), replace(focal, scale=state.focal), scale,
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
    problem = _Problem.of(points_norm, sigma, adjusted.points)
    state = _State(adjusted.R, adjusted.t, adjusted.points[problem.used], adjusted.focal.scale)
    width, own = FINAL_WIDTHS[-1] * adjusted.noise, [group[problem.used] for group in groups]
    (variance, newton), prior, inflation = problem.variance(state, width), np.inf, 1.0
    clustered = cells is not None and np.isfinite(variance)
    # The inflation increases the weight of the focal prior, which in turn changes the inflation a little.
    for _ in range(2 if adjusted.focal.is_open else 0 if clustered else 1):
        prior = inflation * adjusted.focal.information(adjusted.noise)
        root, scores = problem.linearised(state, width, prior)
        inflation = variance_inflation_of(scores @ root, own)
    if cells is not None and clustered:
        information, score = problem.by_cell(state, width, cells[problem.used])
        root = problem.root(state, information.sum((0, 1)), prior)
        information, score = root.T @ information @ root, score @ root
        whitened = clustered_covariance(information, score, variance=variance, newton=newton)
        inflation = float(np.trace(whitened)) / (len(whitened) * variance)
    else:
        whitened = inflation * variance * np.eye(root.shape[1])
    covariance = root @ whitened @ root.T
    return Uncertainty(covariance[:-1, :-1], float(np.sqrt(covariance[-1, -1])), inflation)


@dataclass
class _State:
    R: np.ndarray
    t: np.ndarray
    X: np.ndarray
    focal: float


@dataclass(frozen=True)
class _Problem:
    points_norm: np.ndarray  # (M, V, 2) of the used points
    inverse_sigma: np.ndarray  # (M, V); 0 where not seen
    used: np.ndarray  # (N,) which points are used

    @classmethod
    def of(cls, points_norm: np.ndarray, sigma: np.ndarray, points: np.ndarray) -> "_Problem":
        seen = np.isfinite(points_norm).all(-1) & np.isfinite(sigma)
        used = (seen.sum(-1) >= 2) & np.isfinite(points).all(-1)
        seen, points_norm, sigma = seen[used], points_norm[used], sigma[used]
        inverse = np.where(seen, 1 / np.where(seen, sigma, 1.0), 0.0)
        return cls(np.where(seen[..., None], points_norm, 0.0), inverse, used)

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

    def descend(self, state: _State, width: float, prior: float) -> None:
        state.focal = bundle_kernels.descend(
            self.points_norm, self.inverse_sigma, state.R, state.t, state.X, state.focal,
            prior, width, STEPS_PER_WIDTH, ENOUGH,
        )  # fmt: skip

    def weights(self, state: _State, width: float) -> np.ndarray:
        """Robust weights (M, V)."""
        share = (self.residual(state) ** 2).sum(-1) / width**2
        return np.where(self.inverse_sigma > 0, 1 / (1 + share) ** 2, 0.0)

    def linearised(self, state: _State, width: float, prior: float) -> tuple[np.ndarray, np.ndarray]:
        """The root of the reduced system's inverse, see `root`, and each point's contribution (M, 6V + 1)."""
        S, scores = self.reduced(state, width, np.s_[:])
        return self.root(state, S, prior), scores

    def root(self, state: _State, S: np.ndarray, prior: float) -> np.ndarray:
        """A (6V + 1, K) with A @ A.T the inverse of the reduced system S, to which the focal prior is added.

        The gauge freedoms of the world's frame and scale are removed (inner constraints).
        """
        S[-1, -1] += prior if np.isfinite(prior) else 0.0
        unknown = np.s_[:] if np.isfinite(prior) else np.s_[:-1]
        free, units = gauge_basis(state.R, state.t), units_of(state.R, state.t)
        root = np.zeros((len(S), len(units[unknown]) - free.shape[1]))
        root[unknown] = root_of_inverse(S[unknown, unknown], free[unknown], units[unknown])
        return root

    def reduced(self, state: _State, width: float, points: slice | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The reduced system (6V + 1, 6V + 1) of some points, and the contribution (M, 6V + 1) of each."""
        x, inverse, X = self.points_norm[points], self.inverse_sigma[points], state.X[points]
        N, D = len(inverse), 6 * inverse.shape[1] + 1
        S, scores, to_points, own = np.empty((D, D)), np.empty((N, D)), np.empty((N, 3, D)), np.empty((N, 3))
        bundle_kernels.normal_equations(
            x, inverse, state.R, state.t, X, state.focal, width, 0.0, S, scores, to_points, own
        )  # fmt: skip
        return S, scores

    def by_cell(self, state: _State, width: float, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The reduced systems (L, B, 6V + 1, 6V + 1) of the points of each cell, and their right-hand sides.

        `cells` (M, 2) holds each point's indices of L and B.
        """
        shape, D = cells.max(0, initial=0) + 1, 6 * len(state.R) + 1
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
