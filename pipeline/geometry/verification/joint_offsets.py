"""Time offsets of all views at once, adjusted together with a rig and the points it sees.

Pairs of views leave much of what more views know unused: this adjustment has one unknown more per view than a bundle
adjustment, the frames by which it is late. Image points are moved by their velocities, so offsets should be small:
larger ones are taken into account before, by interpolation.
"""

import numpy as np
from jaxtyping import Float, Int

from pipeline.geometry.calibration.gauge import rotation_of
from pipeline.geometry.triangulation import methods as triangulation
from pipeline.geometry.verification.pair_lag import velocities
from pipeline.geometry.verification.time_offset import BLOCKS, VELOCITY_S, Solution

UNKNOWNS = 7  # of a view: rotation, translation, offset
ITERATIONS, WIDTH = 12, 3.0  # width of the Geman-McClure kernel in standard deviations
MIN_POINTS = 60
# Median distance of normally distributed points in the plane from their mean, in standard deviations.
RAYLEIGH_MEDIAN = 1.1774
MAX_POINTS = 4000
LEAST_STD = 0.05  # smallest standard deviation of an offset, in frames


class _Observed:
    """Points (P, V, 2) that two views and more see, with velocities; weights 1 / sigma are 0 where not seen."""

    def __init__(self, points_norm: np.ndarray, sigma: np.ndarray, window: np.ndarray, h: int) -> None:
        velocity = velocities(points_norm, sigma, window, h)
        seen = np.isfinite(sigma) & np.isfinite(points_norm).all(-1) & np.isfinite(velocity).all(-1)
        every = max(1, round(int((seen.sum(-1) >= 2).sum()) / MAX_POINTS))
        seen &= (np.arange(len(seen)) % every == 0)[:, None, None]
        self.frame, self.joint = np.nonzero(seen.sum(-1) >= 2)
        rows = self.frame, self.joint
        with np.errstate(divide="ignore"):
            self.inverse = np.where(seen[rows], 1 / sigma[rows], 0.0)
        self.x, self.velocity = np.nan_to_num(points_norm[rows]), np.nan_to_num(velocity[rows])

    def taken(self, keep: np.ndarray) -> None:
        """Keep only some of the points."""
        for name, values in vars(self).items():
            setattr(self, name, values[keep])


def adjust_offsets(
    points_norm: Float[np.ndarray, "frame joint view 2"],
    sigma: Float[np.ndarray, "frame joint view"],
    window: Int[np.ndarray, " frame"],
    R: Float[np.ndarray, "view 3 3"],
    t: Float[np.ndarray, "view 3"],
    *,
    fps: float,
) -> Solution | None:
    """The offsets of views with poses R, t near the right ones; None with too few points.

    NaN poses are not allowed. The first view's offset is 0. Frames of one number in `window` are consecutive.
    """
    h = max(1, round(VELOCITY_S * fps))
    if len(points_norm) <= 2 * h:
        return None
    observed = _Observed(points_norm, sigma, window, h)
    X = _triangulated(observed, R, t)
    known = np.isfinite(X).all(-1)
    observed.taken(known)
    X = X[known]
    if len(X) < MIN_POINTS:
        return None
    state, offsets = (R.copy(), t.copy()), np.zeros(len(R))
    influences = np.zeros((len(X), len(R)))
    for _ in range(ITERATIONS):
        step, moved, influences = _step(observed, *state, X, offsets)
        own = step.reshape(len(R), UNKNOWNS)
        state = np.stack([rotation_of(w) for w in own[:, :3]]) @ state[0], state[1] + own[:, 3:6]
        offsets, X = offsets + np.clip(own[:, 6], -1, 1), X + moved
        if np.abs(own[:, 6]).max() < 1e-3:
            break
    return _solution(observed, offsets, influences, len(points_norm), sigma.shape[1])


def _triangulated(observed: _Observed, R: np.ndarray, t: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        sigma = np.where(observed.inverse > 0, 1 / observed.inverse, np.inf)
    return triangulation.robust(observed.x[:, None], sigma[:, None], R[None], t[None])[:, 0]


def _step(
    observed: _Observed, R: np.ndarray, t: np.ndarray, X: np.ndarray, offsets: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Steps of the views (7 V,) and of the points (P, 3), and the influences (P, V) of the points on the offsets."""
    r, A, B, w = _linearised(observed, R, t, X, offsets)
    n_views = len(R)
    Aw, Bw = A * w[..., None, None], B * w[..., None, None]
    by_point = np.einsum("pvik,pvil->pkl", Aw, A)
    by_point += (1e-9 * np.trace(by_point, axis1=1, axis2=2)[:, None, None] + 1e-12) * np.eye(3)
    inverse = np.linalg.inv(by_point)
    across = np.einsum("pvik,pvil->pkvl", Aw, B).reshape(len(X), 3, -1)
    reduced = inverse @ across
    point_gradient = np.einsum("pvik,pvi->pk", Aw, r)
    gradient = np.einsum("pvik,pvi->pvk", Bw, r).reshape(len(X), -1)
    gradient -= np.einsum("pkc,pk->pc", reduced, point_gradient)
    H = -np.einsum("pkc,pkd->cd", across, reduced)
    for v, block in enumerate(np.einsum("pvik,pvil->vkl", Bw, B)):
        own = slice(UNKNOWNS * v, UNKNOWNS * (v + 1))
        H[own, own] += block
    # The first view stays where it is; the small diagonal fixes the unit of length.
    free = np.arange(UNKNOWNS, UNKNOWNS * n_views)
    size = np.sqrt(np.diag(H)[free]) + 1e-12
    information = H[np.ix_(free, free)] / size[:, None] / size + 1e-6 * np.eye(len(free))
    covariance = np.linalg.inv(information) / size[:, None] / size
    effect = np.zeros((len(X), UNKNOWNS * n_views))
    effect[:, free] = -gradient[:, free] @ covariance
    step = effect.sum(0)
    moved = -(np.einsum("pkl,pl->pk", inverse, point_gradient) + reduced @ step)
    return step, moved, effect[:, UNKNOWNS - 1 :: UNKNOWNS]


def _linearised(
    observed: _Observed, R: np.ndarray, t: np.ndarray, X: np.ndarray, offsets: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Residuals (P, V, 2), derivatives by the point (P, V, 2, 3) and by the view (P, V, 2, 7), and weights (P, V)."""
    rotated = np.einsum("vij,pj->pvi", R, X)
    Y = rotated + t
    depth, scale = Y[..., 2:], observed.inverse[..., None]
    projected = Y[..., :2] / depth
    r = (projected - observed.x - offsets[:, None] * observed.velocity) * scale
    distance, seen = np.linalg.norm(r, axis=-1), observed.inverse > 0
    freedom = max(1 - 1.5 * len(X) / int(seen.sum()), 0.1)
    noise = max(float(np.median(distance[seen])) / RAYLEIGH_MEDIAN / np.sqrt(freedom), 1e-3)
    w = np.where(seen, 1 / (1 + (distance / (WIDTH * noise)) ** 2) ** 2, 0.0)
    by_Y = np.zeros((*r.shape, 3))
    by_Y[..., 0, 0] = by_Y[..., 1, 1] = 1 / depth[..., 0]
    by_Y[..., 2] = -projected / depth
    by_Y *= scale[..., None]
    # A rotation vector w moves a rotated point p by w x p.
    by_rotation = np.cross(np.broadcast_to(rotated[..., None, :], by_Y.shape), by_Y)
    by_offset = (-observed.velocity * scale)[..., None]
    return r, by_Y @ R, np.concatenate([by_rotation, by_Y, by_offset], -1), w


def _solution(
    observed: _Observed, offsets: np.ndarray, influences: np.ndarray, n_frames: int, n_joints: int
) -> Solution:
    block = observed.frame * BLOCKS // n_frames
    both = block * n_joints + observed.joint

    def summed(groups: np.ndarray, n: int) -> np.ndarray:
        return np.stack([np.bincount(groups, own, minlength=n) for own in influences.T])

    by_block, by_joint = summed(block, BLOCKS), summed(observed.joint, n_joints)
    return Solution(offsets, by_block, by_joint, summed(both, BLOCKS * n_joints), 1.0, LEAST_STD)
