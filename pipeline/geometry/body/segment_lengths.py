"""The lengths of a person's segments, each with the variance of its measurement."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float

from pipeline.geometry.body.proportions import LIMBS, SEGMENTS, TRUNK, segment_ends
from pipeline.geometry.triangulation.bone_lengths import MIN_FRAMES, NORMAL_MAD, own_lengths
from pipeline.shapes import check_shapes
from pipeline.skeleton import BONES, LIMB_JOINTS

# A segment counts if it is seen in at least this share of the frames in which the person is.
MIN_SHARE = 0.2
# The share of the variance of a detected length that is the same in all frames. A detector errs in the same way on
# similar images, so that the mean over many frames has an error too.
SHARED_VARIANCE = 0.25
# Correlation between neighbouring frames where there are too few to measure it (25 to 30 frames per second).
CORRELATION = 0.8
MAX_CORRELATION = 0.97
MIN_VARIANCE = 1e-6  # of a length, relative
UPPER = np.triu_indices(3)


@dataclass(frozen=True)
class SegmentLengths:
    """The segments of one person, in the order of SEGMENTS; NaN where a segment is not seen often enough."""

    length: Float[np.ndarray, " segment"]  # in the unit of the joints
    variance: Float[np.ndarray, " segment"]  # of the measurement, relative to the squared length
    cosine: Float[np.ndarray, "segment segment"]  # of the angle between two segments, median over the frames


@check_shapes(no_inf=("joints",))
def segment_lengths(
    joints: Float[np.ndarray, "frame joint=17 3"], covariance: Float[np.ndarray, "frame joint=17 6"] | None = None
) -> SegmentLengths:
    """Measure the segments of one person from joints in frames in the order of time.

    Lengths are corrected for noise by `own_lengths` if there are enough frames. The variance consists of the scatter of
    the lengths over the effective number of independent frames, of the part of it that is common to all frames, and of
    the uncertainty of the correction. Raises ValueError for other shapes and for infinite joints.
    """
    own = own_lengths(joints, covariance)
    present = int(np.isfinite(joints[:, LIMB_JOINTS]).all(-1).any(-1).sum())
    lengths, variances = np.full((2, len(SEGMENTS), 2), np.nan)
    for i, segment in enumerate(LIMBS):
        for side, ends in enumerate(zip(*segment_ends(segment), strict=True)):
            corrected = float(own[[set(bone) == set(ends) for bone in BONES.tolist()]][0])
            lengths[i, side], variances[i, side] = _measure(*_between(joints, covariance, *ends), corrected, present)
    shoulders, hips = segment_ends(SEGMENTS[TRUNK])
    trunk = _between(joints, covariance, shoulders, hips)
    lengths[TRUNK, 0], variances[TRUNK, 0] = _measure(*trunk, np.nan, present)
    length, variance = _weighted_mean(lengths, variances)
    return SegmentLengths(length, variance, _cosines(joints))


Ends = int | tuple[int, int]  # a joint, or two joints between which a segment ends


def _between(
    joints: np.ndarray, covariance: np.ndarray | None, start: Ends, end: Ends
) -> tuple[np.ndarray, np.ndarray | None]:
    """The vectors (F, 3) from start to end and the covariance (F, 6) of their errors."""
    both = [np.atleast_1d(ends) for ends in (start, end)]
    a, b = (joints[:, ends].mean(1) for ends in both)
    error = None if covariance is None else sum(covariance[:, ends].sum(1) / len(ends) ** 2 for ends in both)
    return b - a, error


def _measure(vector: np.ndarray, error: np.ndarray | None, corrected: float, present: int) -> tuple[float, float]:
    """Length and relative variance of a segment that is seen as vectors (F, 3); NaN if it is not seen often enough."""
    series = np.linalg.norm(vector, axis=-1)
    seen = np.isfinite(series) & (series > 0)
    n = int(seen.sum())
    if n == 0 or n < MIN_SHARE * present:
        return np.nan, np.nan
    median = float(np.median(series[seen]))
    scatter = NORMAL_MAD * float(np.median(np.abs(series[seen] - median)))
    if n < MIN_FRAMES and error is not None:
        scatter = max(scatter, _predicted_scatter(vector[seen], error[seen]))
    length = corrected if np.isfinite(corrected) else median
    # Errors across the segment lengthen it by about the squared scatter over the length.
    correction = median - length if np.isfinite(corrected) else scatter**2 / median
    noise = scatter**2 * (1 / _effective_number(series, seen) + SHARED_VARIANCE)
    return length, (noise + correction**2 / 4) / length**2


def _predicted_scatter(vector: np.ndarray, error: np.ndarray) -> float:
    """Standard deviation of the lengths of vectors (n, 3) whose errors have the covariance (n, 6)."""
    i, j = UPPER
    direction = vector / np.linalg.norm(vector, axis=-1, keepdims=True)
    along = (error * direction[:, i] * direction[:, j] * np.where(i == j, 1, 2)).sum(-1)
    known = along[np.isfinite(along)]
    return float(np.sqrt(np.median(known))) if len(known) else 0.0


def _effective_number(series: Float[np.ndarray, " frame"], seen: Bool[np.ndarray, " frame"]) -> float:
    """The number of independent values with the same information as a series that is correlated in time."""
    n = int(seen.sum())
    rho = CORRELATION
    if n >= MIN_FRAMES:
        rho = lag_correlation(np.where(seen, series - np.median(series[seen]), np.nan)[:, None])
    return max(n * (1 - rho) / (1 + rho), 1.0)


def lag_correlation(deviation: Float[np.ndarray, "frame component"]) -> float:
    """Correlation of neighbouring values of a series, NaN where unknown, 0 to MAX_CORRELATION; robust to outliers."""
    known = np.abs(deviation[np.isfinite(deviation)])
    limit = 3 * NORMAL_MAD * float(np.median(known)) if len(known) else 0.0
    if limit == 0:
        return 0.0
    clipped = np.clip(deviation, -limit, limit)
    products = clipped[1:] * clipped[:-1]
    both = np.isfinite(products)
    if not both.any():
        return CORRELATION
    return float(np.clip(products[both].mean() / np.nanmean(clipped**2), 0, MAX_CORRELATION))


def _weighted_mean(lengths: np.ndarray, variances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean length and relative variance (S,) of measurements (S, n), by variance; raised where these disagree."""
    known = np.isfinite(lengths)
    weight = np.where(known, 1 / np.maximum(np.where(known, variances, 1.0), MIN_VARIANCE), 0.0)
    total, freedom = weight.sum(1), np.maximum(known.sum(1) - 1, 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (weight * np.where(known, lengths, 0.0)).sum(1) / total
        relative = np.where(known, lengths / mean[:, None] - 1, 0.0)
        disagreement = (weight * relative**2).sum(1) / freedom  # 1 is expected
        return mean, np.maximum(disagreement, 1.0) / total


def _cosines(joints: Float[np.ndarray, "frame joint 3"]) -> Float[np.ndarray, "segment segment"]:
    """The median cosine of the angle between two segments of one side; 0 if they are never seen together."""
    n = len(SEGMENTS)
    of_sides = np.full((2, len(joints), n, n), np.nan)
    for side in range(2):
        ends = [[end[side] for end in segment_ends(segment)] for segment in SEGMENTS]
        vectors = np.stack([joints[:, b] - joints[:, a] for a, b in ends], 1)
        size = np.linalg.norm(vectors, axis=-1, keepdims=True)
        unit = vectors / np.where(size > 0, size, np.nan)
        of_sides[side] = np.einsum("fic,fjc->fij", unit, unit)
    values = of_sides.reshape(-1, n * n)
    median = [
        float(np.median(column[np.isfinite(column)])) if np.isfinite(column).any() else 0.0 for column in values.T
    ]
    return np.array(median).reshape(n, n)


def mean_lengths(people: Sequence[SegmentLengths]) -> SegmentLengths:
    """The segments of one person from several recordings, by variance."""
    if len(people) == 1:
        return people[0]
    lengths, variances = (np.stack([getattr(one, name) for one in people], 1) for name in ("length", "variance"))
    length, variance = _weighted_mean(lengths, variances)
    return replace(people[0], length=length, variance=variance, cosine=np.mean([one.cosine for one in people], axis=0))
