"""The scale of a rig in millimetres, with its standard deviation, from the people in it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from pipeline.geometry.body.proportions import (
    ADULT_MM,
    ANKLE_SHARE,
    HEIGHT_STD,
    PLACEMENT_STD_MM,
    PROPORTION_STDS,
    SEGMENTS,
    STATURE_BONES,
    STATURE_DEFINITION_STD,
    STATURE_MM,
    STATURE_STD,
)
from pipeline.geometry.body.segment_lengths import SegmentLengths, mean_lengths, segment_lengths
from pipeline.geometry.triangulation.bone_lengths import own_lengths
from pipeline.shapes import check_shapes
from pipeline.skeleton import BONES, joint

# A segment whose ratio to the others is off by more standard deviations than this loses weight.
MAX_DEVIATION = 2.0
REWEIGHTINGS = 5
# The segments from the ankles to the shoulders.
UPRIGHT = [i for i, segment in enumerate(SEGMENTS) if segment.end in ("hip", "knee", "ankle")]


@dataclass(frozen=True)
class Scale:
    """Millimetres per unit of length, and their relative standard deviation."""

    factor: float
    std: float


UNKNOWN = Scale(float("nan"), float("nan"))


def bone_scale(
    joints: Float[np.ndarray, "frame joint=17 3"], covariance: Float[np.ndarray, "frame joint=17 6"] | None = None
) -> float:
    """Millimetres per unit of one subject's joints, from mean adult proportions; NaN if no segment is seen enough.

    Raises ValueError as `segment_lengths` does.
    """
    return scale_from_bones([[segment_lengths(joints, covariance)]]).factor


def scale_from_bones(subjects: Sequence[Sequence[SegmentLengths]], *, stature_std: float = STATURE_STD) -> Scale:
    """The scale at which the segments of the subjects (of each: in all its recordings) have mean adult lengths.

    Generalised least squares on the logarithms of the ratios to mean adult lengths. Their covariance has a part common
    to all segments of a subject (the stature), one for each segment of a subject (proportions, measurement), and one
    for each joint that all subjects share (the detector's definition of the joint). Segments that contradict the others
    lose weight, and a remaining contradiction raises the standard deviation. UNKNOWN if no segment is seen enough.
    """
    means = [mean_lengths(own) for own in subjects if own]
    ratios = np.concatenate([np.log(one.length / ADULT_MM) for one in means]) if means else np.zeros(0)
    known = np.isfinite(ratios)
    if not known.any():
        return UNKNOWN
    of_subject = np.repeat(np.arange(len(means)), len(SEGMENTS))[known]
    own = np.concatenate([one.variance + PROPORTION_STDS**2 for one in means])[known]
    placement = _placement_covariance(np.mean([one.cosine for one in means], axis=0))
    shared = np.tile(placement, (len(means), len(means)))[np.ix_(known, known)]
    inner = shared + np.diag(_without_outliers(ratios[known], own, shared, of_subject))
    common = stature_std**2 * (of_subject[:, None] == of_subject)
    size, variance = _generalised_mean(ratios[known], inner + common)
    return Scale(float(np.exp(-size)), float(np.sqrt(variance)))


def _placement_covariance(cosine: Float[np.ndarray, "segment segment"]) -> Float[np.ndarray, "segment segment"]:
    """Covariance of the relative lengths of one side's segments from a detector's definition of their joints.

    A joint moved along a leg lengthens one segment and shortens the other, as far as they are in line.
    """
    covariance = np.zeros_like(cosine)
    for name, std_mm in PLACEMENT_STD_MM.items():
        sign = np.array([(one.end == name) - (one.start == name) for one in SEGMENTS], float)
        covariance += std_mm**2 * np.outer(sign, sign) * cosine
    return covariance / np.outer(ADULT_MM, ADULT_MM)


def _without_outliers(
    ratios: Float[np.ndarray, " n"], own: Float[np.ndarray, " n"], shared: Float[np.ndarray, "n n"],
    of_subject: Int[np.ndarray, " n"],
) -> Float[np.ndarray, " n"]:  # fmt: skip
    """The variances `own`, raised where a ratio contradicts the others of its subject."""
    raised = own.copy()
    for subject in np.unique(of_subject):
        i = np.flatnonzero(of_subject == subject)
        for _ in range(REWEIGHTINGS):
            inner = shared[np.ix_(i, i)] + np.diag(raised[i])
            size, _ = _generalised_mean(ratios[i], inner)
            deviation = np.abs(ratios[i] - size) / np.sqrt(shared[i, i] + own[i])
            raised[i] = own[i] * np.maximum(deviation / MAX_DEVIATION, 1) ** 4
    return raised


def _generalised_mean(values: Float[np.ndarray, " n"], covariance: Float[np.ndarray, "n n"]) -> tuple[float, float]:
    """Mean of correlated values and its variance, which is raised if the values contradict their covariance."""
    precision = np.linalg.inv(covariance)
    variance = 1 / float(precision.sum())
    mean = variance * float(precision.sum(0) @ values)
    residual = values - mean
    contradiction = float(residual @ precision @ residual) / max(len(values) - 1, 1)
    return mean, variance * max(contradiction, 1.0)


@check_shapes(no_inf=("joints",))
def height_scale(
    joints: Float[np.ndarray, "frame joint=17 3"],
    height_mm: float,
    covariance: Float[np.ndarray, "frame joint=17 6"] | None = None,
) -> Scale:
    """The scale at which a subject has the given stature; UNKNOWN if no segment is seen enough.

    From the distance between the ankles and the top of the head, along the bones. If parts of it are not seen often
    enough, from the proportions of a mean adult of that stature. Raises ValueError for other shapes.
    """
    lengths = segment_lengths(joints, covariance)
    chain = _ankles_to_head(joints, covariance)
    upright = lengths.variance[UPRIGHT]
    if not (np.isfinite(chain) and np.isfinite(upright).all()):
        adult = scale_from_bones([[lengths]], stature_std=HEIGHT_STD)
        return Scale(adult.factor * height_mm / STATURE_MM, adult.std)
    share = ADULT_MM[UPRIGHT] / STATURE_MM
    variance = HEIGHT_STD**2 + STATURE_DEFINITION_STD**2 + float(share**2 @ upright)
    return Scale(float(height_mm * (1 - ANKLE_SHARE) / chain), float(np.sqrt(variance)))


def _ankles_to_head(joints: np.ndarray, covariance: np.ndarray | None) -> float:
    """The sum of the bones from the ankles to the top of the head; NaN if one of them is seen in too few frames."""
    own = own_lengths(joints, covariance)
    vectors = joints[:, BONES[:, 1]] - joints[:, BONES[:, 0]]
    seen = np.linalg.norm(vectors, axis=-1)
    median = [float(np.median(one[np.isfinite(one)])) if np.isfinite(one).any() else np.nan for one in seen.T]
    lengths = np.where(np.isfinite(own), own, median)
    total = 0.0
    for sides in STATURE_BONES:
        bones = [lengths[[set(bone) == {joint(a), joint(b)} for bone in BONES.tolist()]][0] for a, b in sides]
        known = [length for length in bones if np.isfinite(length)]
        total += float(np.mean(known)) if known else np.nan
    return total


def mean_scale(scales: Sequence[Scale]) -> Scale:
    """The mean of scales, by variance. Their errors count as common to all, so the standard deviation stays as it is.

    UNKNOWN scales are left out; UNKNOWN if no other is left.
    """
    known = [scale for scale in scales if np.isfinite(scale.factor)]
    if not known:
        return UNKNOWN
    weight = np.array([scale.std**-2 for scale in known])
    log = np.log([scale.factor for scale in known])
    std = float(weight @ [scale.std for scale in known] / weight.sum())
    return Scale(float(np.exp(weight @ log / weight.sum())), max(std, float(np.std(log))))
