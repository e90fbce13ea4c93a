"""The adjustment of one frame's rig with a prior on the person's segment lengths.

The points of one frame hardly determine some directions of a rig without the prior. The first adjustment expects equal
left and right limbs and adult proportions, the second the person's own lengths, estimated from the first adjustments of
all frames. All unknowns are solved for at once, because segments couple the points.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from pipeline.geometry.body.proportions import LIMBS
from pipeline.geometry.calibration.single_frame.body_prior_kernel import descend
from pipeline.shapes import check_shapes
from pipeline.skeleton import BONES, MIRROR, joint

# Relative standard deviations: between the lengths of a bone and its twin on the other side, between a limb's length
# and an adult's, and between a bone in one frame and the person's own length.
TWIN_STD, ADULT_STD, OWN_STD = 0.05, 0.08, 0.03
# The least number of frames from which an own length is estimated.
MIN_FRAMES = 10

# The bones of both sides.
SIDE_BONES = np.array([bone for bone in BONES if MIRROR[bone[1]] != bone[1]])
TWIN = np.array([SIDE_BONES[:, 1].tolist().index(MIRROR[child]) for _, child in SIDE_BONES])


@dataclass(frozen=True)
class LengthPrior:
    """What is expected of segments between points; lengths in mm.

    Row k expects log(length of segment rows[k, 0]) - log(length of segment rows[k, 1]); -1: no second segment.
    """

    segments: Int[np.ndarray, "segment 2"]  # indices of points
    rows: Int[np.ndarray, "row 2"]  # indices of segments
    expected: Float[np.ndarray, " row"]
    std: Float[np.ndarray, " row"]

    def among(self, known: np.ndarray) -> "LengthPrior":
        """The rows whose points are all known (N,)."""
        with_ends = known[self.segments].all(1)
        keep = (with_ends[self.rows] | (self.rows < 0)).all(1)
        return replace(self, rows=self.rows[keep], expected=self.expected[keep], std=self.std[keep])

    def scale_of(self, points: Float[np.ndarray, "point 3"]) -> float:
        """Millimetres per unit of the points: the median over the rows that expect a length; 1 if there is none."""
        known = self.among(np.isfinite(points).all(-1))
        of_length = known.rows[:, 1] < 0
        if not of_length.any():
            return 1.0
        ends = points[self.segments[known.rows[of_length, 0]]]
        lengths = np.maximum(np.linalg.norm(ends[:, 1] - ends[:, 0], axis=-1), 1e-9)
        return float(np.exp(np.median(known.expected[of_length] - np.log(lengths))))


def adult_prior(of_joint: Int[np.ndarray, "joint=17"]) -> LengthPrior:
    """The prior on the human build; `of_joint` is the index of the point that is each joint, -1 if there is none."""
    with_ends = (of_joint[SIDE_BONES] >= 0).all(1)
    rows: list[tuple[int, int]] = []
    expected, std = [], []
    for i in np.flatnonzero(with_ends & with_ends[TWIN]):
        if i < TWIN[i]:
            rows.append((int(i), int(TWIN[i])))
            expected.append(0.0)
            std.append(TWIN_STD)
    for start, end, adult_mm in LIMBS:
        for side in "lr":
            ends = np.array([joint(f"{side}_{start}"), joint(f"{side}_{end}")])
            bone = int(np.flatnonzero((ends == SIDE_BONES).all(1))[0])
            if with_ends[bone]:
                rows.append((bone, -1))
                expected.append(np.log(adult_mm))
                std.append(ADULT_STD)
    segments = np.where(with_ends[:, None], of_joint[SIDE_BONES], 0)
    return LengthPrior(segments, np.array(rows, int).reshape(-1, 2), np.array(expected, float), np.array(std, float))


def own_prior(prior: LengthPrior, frames: Sequence[Float[np.ndarray, "point 3"]]) -> LengthPrior:
    """The prior on the person's own lengths: the medians over frames, each frame in the scale that `prior` gives.

    The prior itself if there are too few frames, or if no segment is seen in enough of them.
    """
    if len(frames) < MIN_FRAMES:
        return prior
    used = np.unique(prior.rows[prior.rows >= 0])
    points = np.stack(frames)
    ends = points[:, prior.segments[used]]
    with np.errstate(divide="ignore"):
        logs = np.log(np.linalg.norm(ends[:, :, 1] - ends[:, :, 0], axis=-1))
    logs = np.where(np.isfinite(logs), logs, np.nan)
    often = np.isfinite(logs).sum(0) >= MIN_FRAMES
    if not often.any():
        return prior
    used, logs = used[often], logs[:, often]
    # The frames' scales differ by the noise of their lengths; the difference is common to all segments.
    scale = logs - np.nanmedian(logs, axis=0)
    frame = np.isfinite(scale).any(1)
    logs = logs[frame] - np.nanmedian(scale[frame], axis=1, keepdims=True)
    rows = np.stack([used, np.full_like(used, -1)], 1)
    return replace(prior, rows=rows, expected=np.nanmedian(logs, axis=0), std=np.full(len(used), OWN_STD))


@check_shapes(no_inf=("points_norm", "R", "t", "points"))
def adjust_to_body(
    points_norm: Float[np.ndarray, "point view 2"],
    sigma: Float[np.ndarray, "point view"],
    R: Float[np.ndarray, "view 3 3"],
    t: Float[np.ndarray, "view 3"],
    points: Float[np.ndarray, "point 3"],
    prior: LengthPrior,
    *,
    width: float,
    noise: float,
) -> tuple[Float[np.ndarray, "view 3 3"], Float[np.ndarray, "view 3"], Float[np.ndarray, "point 3"], float]:
    """Adjust cameras and one person's points to normalised image points and the prior on lengths.

    Sigma is infinite where not seen; points that are NaN are not adjusted. `width` is the scale of the robust kernel,
    in units of `noise` times sigma. Returns rotations, translations, points and the final cost; in the unit of the
    prior, mm, whatever the unit of the start was. Raises ValueError for shapes that do not fit and for infinite values
    other than those of sigma.
    """
    known = np.isfinite(points).all(-1)
    inverse = inverse_sigma(points_norm, sigma * noise, known)
    scale = prior.scale_of(points)
    R, t, X = R.astype(float), t * scale, np.where(known[:, None], points * scale, 0.0)
    rows = prior.among(known)
    x = np.where(np.isfinite(points_norm), points_norm, 0.0)
    reached = descend(x, inverse, R, t, X, width, prior.segments, rows.rows, rows.expected, 1 / rows.std)
    return R, t, np.where(known[:, None], X, np.nan), reached


def inverse_sigma(
    points_norm: Float[np.ndarray, "point view 2"], sigma: Float[np.ndarray, "point view"], known: np.ndarray
) -> Float[np.ndarray, "point view"]:
    """1 / sigma; 0 where a view did not see a point and for points that are not known (N,)."""
    seen = np.isfinite(points_norm).all(-1) & np.isfinite(sigma) & known[:, None]
    return np.where(seen, 1 / np.where(seen, sigma, 1.0), 0.0)
