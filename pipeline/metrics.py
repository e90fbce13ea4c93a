"""The metrics, batched, by the standard protocols: 3D poses (..., joint, 3) in mm and a camera's frame, 2D in px.

NaN is a missing joint: it counts in no mean, unless a docstring says otherwise. Functions give a figure per pose,
or per joint; whoever reports them takes the mean.
"""

import numpy as np

from pipeline.geometry.align import align
from pipeline.skeleton import JOINTS, LEFT_JOINTS, MIRROR, ROOT

# The joints PCK and AUC are counted on: those of MPI-INF-3DHP's protocol, without the root that is zero by definition.
PCK_JOINTS = np.array([j for j, name in enumerate(JOINTS) if name[:2] in ("l_", "r_") or name in ("thorax", "head")])
PCK_THRESHOLD_MM = 150.0
AUC_THRESHOLDS_MM = np.linspace(0, 150, 31)
# Left and right closer than this share of the box cannot be told apart in the image, so they cannot be swapped either.
SWAP_SEPARATION = 0.05


def root_centred(poses_mm: np.ndarray) -> np.ndarray:
    """The poses with their root at the origin; without a root all joints are missing."""
    return poses_mm - poses_mm[..., ROOT : ROOT + 1, :]


def scale_aligned(predicted_mm: np.ndarray, true_mm: np.ndarray) -> np.ndarray:
    """The predicted poses, root-centred and times the scale that fits the root-centred truth by least squares.

    Rhodin et al., Unsupervised Geometry-Aware Representation for 3D Human Pose Estimation, ECCV 2018.
    """
    p, t = root_centred(predicted_mm), root_centred(true_mm)
    both = np.isfinite(p) & np.isfinite(t)
    dot = np.sum(np.where(both, p * t, 0), axis=(-1, -2), keepdims=True)
    norm = np.sum(np.where(both, p * p, 0), axis=(-1, -2), keepdims=True)
    return p * np.divide(dot, norm, out=np.full_like(dot, np.nan), where=norm > 0)


def similarity_aligned(predicted_mm: np.ndarray, true_mm: np.ndarray) -> np.ndarray:
    """The predicted poses after the rotation, translation and scale that fit the truth by least squares.

    No reflection is allowed. Poses with fewer than three joints in common become missing.
    """
    return align(predicted_mm, true_mm)


def joint_errors(predicted: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Distance of each joint from the truth, (..., joint), in the unit of the poses (..., joint, 2 or 3)."""
    _check(predicted, true)
    return np.linalg.norm(predicted - true, axis=-1)


def mpjpe(predicted_mm: np.ndarray, true_mm: np.ndarray) -> np.ndarray:
    """Mean per-joint position error of root-centred poses, (...): protocol 1 of Human3.6M, root included."""
    return mean(joint_errors(root_centred(predicted_mm), root_centred(true_mm)))


def n_mpjpe(predicted_mm: np.ndarray, true_mm: np.ndarray) -> np.ndarray:
    """Mean per-joint position error after `scale_aligned`, (...): N-MPJPE as Rhodin et al. define it."""
    return mean(joint_errors(scale_aligned(predicted_mm, true_mm), root_centred(true_mm)))


def pa_mpjpe(predicted_mm: np.ndarray, true_mm: np.ndarray) -> np.ndarray:
    """Mean per-joint position error after `similarity_aligned`, (...): protocol 2 of Human3.6M (P-MPJPE)."""
    return mean(joint_errors(similarity_aligned(predicted_mm, true_mm), true_mm))


def pck(predicted_mm: np.ndarray, true_mm: np.ndarray, threshold_mm: float = PCK_THRESHOLD_MM) -> np.ndarray:
    """Percentage of joints within the threshold, root-centred, (...): MPI-INF-3DHP's, on its 14 joints.

    A joint that the truth has and the prediction lacks counts as outside.
    """
    return pck_curve(predicted_mm, true_mm, np.array([threshold_mm]))[..., 0]


def auc(predicted_mm: np.ndarray, true_mm: np.ndarray) -> np.ndarray:
    """Area under the PCK curve in percent, (...): the mean of `pck` over 31 thresholds from 0 to 150 mm."""
    return np.mean(pck_curve(predicted_mm, true_mm, AUC_THRESHOLDS_MM), axis=-1)


def pck_curve(predicted_mm: np.ndarray, true_mm: np.ndarray, thresholds_mm: np.ndarray) -> np.ndarray:
    """`pck` at each of the thresholds (threshold,), (..., threshold)."""
    errors = joint_errors(root_centred(predicted_mm), root_centred(true_mm))[..., PCK_JOINTS]
    known = np.isfinite(root_centred(true_mm)).all(-1)[..., PCK_JOINTS]
    within = [np.sum(known & (errors <= threshold), axis=-1) for threshold in thresholds_mm]
    count = known.sum(-1)[..., None]
    return np.where(count > 0, 100 * np.stack(within, axis=-1) / np.maximum(count, 1), np.nan)


def box_sides_px(true_px: np.ndarray) -> np.ndarray:
    """Longer side of the upright box around a pose's true joints (..., joint, 2), (...)."""
    known = np.isfinite(true_px).all(-1, keepdims=True)
    low, high = (np.where(known, true_px, fill) for fill in (np.inf, -np.inf))
    side = (high.max(-2) - low.min(-2)).max(-1)
    return np.where(known.any((-1, -2)), side, np.nan)


def box_errors_percent(predicted_px: np.ndarray, true_px: np.ndarray) -> np.ndarray:
    """Distance of each joint from the truth as a percentage of `box_sides_px`, (..., joint)."""
    return 100 * joint_errors(predicted_px, true_px) / box_sides_px(true_px)[..., None]


def swaps_percent(predicted_px: np.ndarray, true_px: np.ndarray) -> np.ndarray:
    """100 where a pair of left and right joints fits the truth better once exchanged, else 0, (..., pair).

    Pairs that lie closer than 5 % of the box in the image, or lack a joint, are missing.
    """
    right = MIRROR[LEFT_JOINTS]
    as_told = joint_errors(predicted_px, true_px)
    exchanged = joint_errors(predicted_px[..., MIRROR, :], true_px)
    swapped = _pair_sum(exchanged, right) < _pair_sum(as_told, right)
    apart = joint_errors(true_px[..., LEFT_JOINTS, :], true_px[..., right, :])
    counts = (apart >= SWAP_SEPARATION * box_sides_px(true_px)[..., None]) & np.isfinite(_pair_sum(as_told, right))
    return np.where(counts, 100.0 * swapped, np.nan)


def mean(values: np.ndarray, axis: int | tuple[int, ...] | None = -1) -> np.ndarray:
    """Mean of what is not missing; missing where all is."""
    known = np.isfinite(values)
    count = known.sum(axis)
    total = np.where(known, values, 0).sum(axis)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _pair_sum(errors: np.ndarray, right: np.ndarray) -> np.ndarray:
    return errors[..., LEFT_JOINTS] + errors[..., right]


def _check(predicted: np.ndarray, true: np.ndarray) -> None:
    if predicted.shape[-2:] != true.shape[-2:]:
        raise ValueError(f"Poses of {predicted.shape[-2:]} cannot be compared with poses of {true.shape[-2:]}.")
