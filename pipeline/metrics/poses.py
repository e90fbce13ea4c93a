"""Errors of 3D poses (..., joint, 3) in mm, root-centred, scaled or similarity-aligned, by a named protocol.

Protocols: `standard` is what the field's papers report; `epipolarpose-2019` is what the released code of Kocabas et
al. (CVPR 2019) computes under the same names. They differ in how a pose is scaled and aligned; see docs/metrics.md.
"""

from typing import Literal

import numpy as np

from pipeline.geometry.align import align, similarity
from pipeline.metrics.means import mean
from pipeline.skeleton import JOINTS, LIMB_JOINTS, ROOT, joint

Alignment = Literal["root", "scale", "similarity"]
Protocol = Literal["standard", "epipolarpose-2019"]

# The subsets that papers report: MPII's 16 joints have no spine; the 14 have neither neck nor head either.
JOINTS_16 = np.array([j for j, name in enumerate(JOINTS) if name != "spine"])
JOINTS_14 = np.array([j for j, name in enumerate(JOINTS) if name not in ("spine", "neck", "head")])
# The joints PCK and AUC are counted on: those of MPI-INF-3DHP's protocol, without the root that is zero by definition.
PCK_JOINTS = np.sort(np.append(LIMB_JOINTS, [joint("thorax"), joint("head")]))
PCK_THRESHOLD_MM = 150.0
AUC_THRESHOLDS_MM = np.linspace(0, 150, 31)


def of_joints(poses: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """The poses (..., joint, 2 or 3) with all but some joints missing: what a metric then says is of that subset."""
    return np.where(np.isin(np.arange(len(JOINTS)), joints)[:, None], poses, np.nan)


def root_centred(poses_mm: np.ndarray) -> np.ndarray:
    """The poses with their root at the origin; without a root all joints are missing."""
    return poses_mm - poses_mm[..., ROOT : ROOT + 1, :]


def scale_aligned(predicted_mm: np.ndarray, true_mm: np.ndarray) -> np.ndarray:
    """The predicted poses, root-centred and times the scale that fits the root-centred truth by least squares.

    Rhodin et al., Unsupervised Geometry-Aware Representation for 3D Human Pose Estimation, ECCV 2018.
    """
    p, t = root_centred(predicted_mm), root_centred(true_mm)
    product = p * t
    both = np.isfinite(product)
    dot = np.sum(product, axis=(-1, -2), keepdims=True, where=both)
    norm = np.sum(p * p, axis=(-1, -2), keepdims=True, where=both)
    return p * np.divide(dot, norm, out=np.full_like(dot, np.nan), where=norm > 0)


def similarity_aligned(predicted_mm: np.ndarray, true_mm: np.ndarray) -> np.ndarray:
    """The predicted poses after the rotation, translation and scale that fit the truth by least squares.

    No reflection is allowed. Poses with fewer than three joints in common become missing.
    """
    return align(predicted_mm, true_mm)


def joint_errors(predicted: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Distance of each joint from the truth, (..., joint), in the unit of the poses (..., joint, 2 or 3).

    Raises ValueError where the two are of different skeletons or lengths; the message says both.
    """
    if predicted.shape != true.shape:
        raise ValueError(f"Poses of {predicted.shape} cannot be compared with poses of {true.shape}.")
    return lengths(predicted - true)


def lengths(vectors: np.ndarray) -> np.ndarray:
    """Euclidean lengths (...) of vectors (..., 2 or 3)."""
    return np.sqrt(np.sum(vectors * vectors, axis=-1))


def aligned_errors(
    predicted_mm: np.ndarray, true_mm: np.ndarray, alignment: Alignment, protocol: Protocol = "standard"
) -> np.ndarray:
    """Distance of each joint from the truth after the alignment, (..., joint).

    `root`: both poses root-centred. `scale`: the prediction scaled as well, by `scale_aligned`; for epipolarpose-2019
    by the scale of the similarity that aligns it. `similarity`: by `similarity_aligned`; epipolarpose-2019 then takes
    the roots, which no longer coincide, off again.
    """
    if alignment == "root":
        return joint_errors(root_centred(predicted_mm), root_centred(true_mm))
    if alignment == "scale" and protocol == "standard":
        return joint_errors(scale_aligned(predicted_mm, true_mm), root_centred(true_mm))
    if alignment == "scale":
        scale = similarity(predicted_mm, true_mm)[0][..., None, None]
        return joint_errors(scale * root_centred(predicted_mm), root_centred(true_mm))
    moved = similarity_aligned(predicted_mm, true_mm)
    if protocol == "standard":
        return joint_errors(moved, true_mm)
    return joint_errors(root_centred(moved), root_centred(true_mm))


def mpjpe(predicted_mm: np.ndarray, true_mm: np.ndarray) -> np.ndarray:
    """Mean per-joint position error of root-centred poses, (...): protocol 1 of Human3.6M, root included."""
    return mean(aligned_errors(predicted_mm, true_mm, "root"))


def n_mpjpe(predicted_mm: np.ndarray, true_mm: np.ndarray, protocol: Protocol = "standard") -> np.ndarray:
    """Mean per-joint position error after scaling, (...): N-MPJPE, as Rhodin et al. define it if standard."""
    return mean(aligned_errors(predicted_mm, true_mm, "scale", protocol))


def pa_mpjpe(predicted_mm: np.ndarray, true_mm: np.ndarray, protocol: Protocol = "standard") -> np.ndarray:
    """Mean per-joint position error after a similarity, (...): protocol 2 of Human3.6M (P-MPJPE) if standard."""
    return mean(aligned_errors(predicted_mm, true_mm, "similarity", protocol))


def pck(
    predicted_mm: np.ndarray, true_mm: np.ndarray, threshold_mm: float = PCK_THRESHOLD_MM, alignment: Alignment = "root"
) -> np.ndarray:
    """Percentage of joints within the threshold after the alignment, (...): MPI-INF-3DHP's, on its 14 joints.

    A joint that the truth has and the prediction lacks counts as outside.
    """
    return pck_curve(predicted_mm, true_mm, np.array([threshold_mm]), alignment)[..., 0]


def auc(predicted_mm: np.ndarray, true_mm: np.ndarray, alignment: Alignment = "root") -> np.ndarray:
    """Area under the PCK curve in percent, (...): the mean of `pck` over 31 thresholds from 0 to 150 mm."""
    known = countable(true_mm, alignment)
    return mean(auc_shares(aligned_errors(predicted_mm, true_mm, alignment), known))


def pck_curve(
    predicted_mm: np.ndarray, true_mm: np.ndarray, thresholds_mm: np.ndarray, alignment: Alignment = "root"
) -> np.ndarray:
    """`pck` at each of the thresholds (threshold,), (..., threshold)."""
    errors, known = aligned_errors(predicted_mm, true_mm, alignment), countable(true_mm, alignment)
    return np.stack([mean(within(errors, known, threshold)) for threshold in thresholds_mm], axis=-1)


def countable(true_mm: np.ndarray, alignment: Alignment) -> np.ndarray:
    """Whether PCK and AUC count a joint, (..., joint): one of the 14 that the truth knows."""
    known = np.isfinite(true_mm if alignment == "similarity" else root_centred(true_mm)).all(-1)
    return known & np.isin(np.arange(len(JOINTS)), PCK_JOINTS)


def within(errors_mm: np.ndarray, known: np.ndarray, threshold_mm: float) -> np.ndarray:
    """100 where a joint's error is within the threshold, else 0; missing where it does not count, (..., joint)."""
    return np.where(known, 100.0 * (errors_mm <= threshold_mm), np.nan)


def auc_shares(errors_mm: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Percentage of `AUC_THRESHOLDS_MM` that a joint's error is within; missing where it does not count, (..., joint).

    Its mean over the joints is the mean of PCK over the thresholds.
    """
    n, step = len(AUC_THRESHOLDS_MM), AUC_THRESHOLDS_MM[1]
    passed = np.clip(n - np.ceil(np.nan_to_num(errors_mm, nan=np.inf) / step), 0, None)
    return np.where(known, 100 / n * passed, np.nan)
