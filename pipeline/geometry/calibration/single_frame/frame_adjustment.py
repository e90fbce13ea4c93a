"""The adjustment of one frame's rig from several starts, with a prior on the person's lengths."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from pipeline.geometry.calibration import bundle
from pipeline.geometry.calibration.bundle import AdjustedRig
from pipeline.geometry.calibration.essential import epipolar_error
from pipeline.geometry.calibration.initial_rig import Pairs, extrinsics_of_pair, register_views
from pipeline.geometry.calibration.single_frame.body_prior import LengthPrior, adjust_to_body
from pipeline.geometry.camera import reprojection
from pipeline.geometry.triangulation import methods as triangulation

# The number of pairs of views to start from, the most promising first.
STARTS = 4
# Scales of the robust kernel from a start, and of the last adjustment, in units of the noise.
WIDTHS, LAST_WIDTH = (6.0, 3.0), 4.0


@dataclass(frozen=True)
class Start:
    """Extrinsics to start from; NaN for views without."""

    R: Float[np.ndarray, "view 3 3"]
    t: Float[np.ndarray, "view 3"]

    @property
    def views(self) -> Bool[np.ndarray, " view"]:
        """Which views have extrinsics."""
        return np.asarray(np.isfinite(self.t).all(-1))


@dataclass(frozen=True)
class FrameRig(Start):
    """The adjusted rig of a frame, in the unit of the prior."""

    points: Float[np.ndarray, "point 3"]
    cost: float  # about the sum of squared residuals, in units of the noise; outliers count LAST_WIDTH squared
    epipolar_start: float  # median distance of a point from its epipolar line in the start, normalised units

    def squared_distances(self, points_norm: np.ndarray, sigma: np.ndarray) -> Float[np.ndarray, "point view"]:
        """Squared distances of image points from projections, over sigma squared; NaN where not seen."""
        distance, _ = reprojection.residuals(self.points, points_norm, self.R, self.t)
        return np.where(np.isfinite(sigma), (distance / sigma) ** 2, np.nan)

    def cost_per_freedom(self, points_norm: np.ndarray, sigma: np.ndarray) -> float:
        """The cost over the degrees of freedom."""
        seen = np.isfinite(self.squared_distances(points_norm, sigma)).sum()
        unknowns = 3 * np.isfinite(self.points).all(-1).sum() + 6 * self.views.sum() - 7
        return self.cost / max(2 * float(seen) - float(unknowns), 1.0)


def starts_of(points_norm: np.ndarray, sigma: np.ndarray, pairs: Pairs, seed: int, most: int = STARTS) -> list[Start]:
    """Starts from the pairs of a frame's views; those with the most views."""
    starts = []
    for pair in sorted(pairs, key=lambda p: -pairs[p].score)[:most]:
        R, t = register_views(points_norm, sigma, *extrinsics_of_pair(pair, pairs[pair], points_norm.shape[1]), seed)
        starts.append(Start(R, t))
    n = max(start.views.sum() for start in starts)
    return [start for start in starts if start.views.sum() == n]


def adjust_to_points(
    points_norm: np.ndarray, sigma: np.ndarray, start: Start, widths: Sequence[float], noise: float | None
) -> AdjustedRig:
    """Adjust a start to the image points only; the noise is estimated unless given."""
    v = start.views
    x, s, R, t = points_norm[:, v], sigma[:, v], start.R[v], start.t[v]
    return bundle.adjust(x, s, R, t, triangulation.robust(x, s, R, t), widths, noise=noise)


def adjust_frame(
    points_norm: np.ndarray, sigma: np.ndarray, start: Start, prior: LengthPrior, noise: float,
    widths: Sequence[float] = (),
) -> FrameRig:  # fmt: skip
    """Triangulate the points again, adjust to the image points with `widths`, then also to the prior."""
    adjusted, views = adjust_to_points(points_norm, sigma, start, widths, noise), start.views
    R, t = start.R.copy(), start.t.copy()
    R[views], t[views], points, cost = adjust_to_body(
        points_norm[:, views], sigma[:, views], adjusted.R, adjusted.t, adjusted.points, prior,
        width=LAST_WIDTH, noise=noise,
    )  # fmt: skip
    epipolar = start.epipolar_start if isinstance(start, FrameRig) else np.nan
    return FrameRig(R, t, points, cost, epipolar)


def best_rig(
    points_norm: np.ndarray, sigma: np.ndarray, starts: Sequence[Start], prior: LengthPrior, noise: float
) -> FrameRig:
    """The adjusted rig with the least cost over all starts."""
    tried = [adjust_frame(points_norm, sigma, start, prior, noise, WIDTHS) for start in starts]
    best = min(range(len(tried)), key=lambda i: tried[i].cost)
    # Some points were wrong at the start.
    rig = adjust_frame(points_norm, sigma, tried[best], prior, noise)
    epipolar = epipolar_error(points_norm, sigma, starts[best].R, starts[best].t)
    return FrameRig(rig.R, rig.t, rig.points, rig.cost, epipolar)
