"""Errors of 3D poses (..., joint, 3) in mm, root-centred, scaled or similarity-aligned, by a named protocol.

Protocols: `standard` has the definitions of most papers; `epipolarpose-2019` has those of the released code of Kocabas
et al. (CVPR 2019) under the same names. The protocols scale and align poses differently; see docs/metrics.md.
"""

from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int

from pipeline.geometry.align import align, similarity
from pipeline.metrics import kernels
from pipeline.metrics.means import mean
from pipeline.shapes import check_shapes
from pipeline.skeleton import JOINTS, LIMB_JOINTS, ROOT, joint

Alignment = Literal["root", "scale", "similarity"]
Protocol = Literal["standard", "epipolarpose-2019"]

# Subsets of joints that papers report: the 16 joints of MPII have no spine, the 14 joints also no neck and no head.
JOINTS_16 = np.array([j for j, name in enumerate(JOINTS) if name != "spine"])
JOINTS_14 = np.array([j for j, name in enumerate(JOINTS) if name not in ("spine", "neck", "head")])
# The joints of PCK and AUC: those of MPI-INF-3DHP's protocol, without the root, whose error is zero by definition.
PCK_JOINTS = np.sort(np.append(LIMB_JOINTS, [joint("thorax"), joint("head")]))
PCK_THRESHOLD_MM = 150.0
AUC_THRESHOLDS_MM = np.linspace(0, 150, 31)
_checked = check_shapes(no_inf=("predicted_mm", "true_mm"))
_COUNTED = np.isin(np.arange(len(JOINTS)), PCK_JOINTS)


@check_shapes()
def of_joints(
    poses: Float[np.ndarray, "*batch joint=17 dim"], joints: Int[np.ndarray, " chosen"]
) -> Float[np.ndarray, "*batch joint=17 dim"]:
    """The poses with all other joints missing, so that a metric covers only the given joints."""
    return np.where(np.isin(np.arange(len(JOINTS)), joints)[:, None], poses, np.nan)


@check_shapes()
def root_centred(poses_mm: Float[np.ndarray, "*batch joint=17 3"]) -> Float[np.ndarray, "*batch joint=17 3"]:
    """The poses with their root at the origin; without a root all joints are missing.

    >>> root_centred(np.full((17, 3), 500.0)).max()
    np.float64(0.0)
    """
    return poses_mm - poses_mm[..., ROOT : ROOT + 1, :]


@_checked
def scale_aligned(
    predicted_mm: Float[np.ndarray, "*batch joint=17 3"], true_mm: Float[np.ndarray, "*batch joint=17 3"]
) -> Float[np.ndarray, "*batch joint=17 3"]:
    """The predicted poses, root-centred and times the scale that fits the root-centred truth by least squares.

    Rhodin et al., Unsupervised Geometry-Aware Representation for 3D Human Pose Estimation, ECCV 2018.
    """
    return best_scales(predicted_mm, true_mm)[..., None, None] * root_centred(predicted_mm)


@_checked
def best_scales(
    predicted_mm: Float[np.ndarray, "*batch joint=17 3"], true_mm: Float[np.ndarray, "*batch joint=17 3"]
) -> Float[np.ndarray, "*batch"]:
    """The scales of `scale_aligned`; missing if the poses have no common joint except the root."""
    scales = np.empty(predicted_mm.shape[:-2])
    kernels.best_scales(flat(predicted_mm), flat(true_mm), scales.reshape(-1))
    return scales


@_checked
def similarity_aligned(
    predicted_mm: Float[np.ndarray, "*batch joint=17 3"], true_mm: Float[np.ndarray, "*batch joint=17 3"]
) -> Float[np.ndarray, "*batch joint=17 3"]:
    """The predicted poses after the rotation, translation and scale that fit the truth by least squares.

    No reflection is allowed. Poses with fewer than three joints in common become missing.
    """
    return align(predicted_mm, true_mm)


@check_shapes()
def joint_errors(
    predicted: Float[np.ndarray, "*batch dim"], true: Float[np.ndarray, "*batch dim"]
) -> Float[np.ndarray, "*batch"]:
    """Distance of each joint from the truth, in the unit of the poses. Raises ValueError for shapes that differ."""
    errors, width = np.empty(predicted.shape[:-1]), predicted.shape[-1]
    a, b = (np.ascontiguousarray(poses, float).reshape(-1, width) for poses in (predicted, true))
    kernels.distances(a, b, errors.reshape(-1))
    return errors


def flat(poses_mm: Float[np.ndarray, "*batch joint dim"]) -> Float[np.ndarray, "pose joint dim"]:
    """All poses in one dimension, contiguous in double precision, as the kernels take them."""
    return np.ascontiguousarray(poses_mm, float).reshape(-1, *poses_mm.shape[-2:])


@_checked
def aligned_errors(
    predicted_mm: Float[np.ndarray, "*batch joint=17 3"],
    true_mm: Float[np.ndarray, "*batch joint=17 3"],
    alignment: Alignment,
    protocol: Protocol = "standard",
) -> Float[np.ndarray, "*batch joint=17"]:
    """Distance of each joint from the truth after the alignment, in mm.

    `root`: both poses root-centred. `scale`: the prediction scaled as well, by `scale_aligned`; for epipolarpose-2019
    by the scale of the similarity that aligns it. `similarity`: by `similarity_aligned`; epipolarpose-2019 then
    subtracts the roots again, as they no longer coincide. Raises ValueError for shapes that differ and infinite joints.
    """
    if alignment == "root":
        return _root_centred_errors(predicted_mm, true_mm, np.ones(predicted_mm.shape[:-2]))
    if alignment == "scale":
        scales = best_scales if protocol == "standard" else lambda *poses: similarity(*poses)[0]
        return _root_centred_errors(predicted_mm, true_mm, scales(predicted_mm, true_mm))
    moved = similarity_aligned(predicted_mm, true_mm)
    if protocol == "standard":
        return joint_errors(moved, true_mm)
    return _root_centred_errors(moved, true_mm, np.ones(predicted_mm.shape[:-2]))


def _root_centred_errors(
    predicted_mm: Float[np.ndarray, "*batch joint=17 3"],
    true_mm: Float[np.ndarray, "*batch joint=17 3"],
    scales: Float[np.ndarray, "*batch"],
) -> Float[np.ndarray, "*batch joint=17"]:
    errors = np.empty(predicted_mm.shape[:-1])
    into = errors.reshape(-1, len(JOINTS))
    kernels.root_centred_errors(flat(predicted_mm), flat(true_mm), scales.reshape(-1), into)
    return errors


@_checked
def mpjpe(
    predicted_mm: Float[np.ndarray, "*batch joint=17 3"], true_mm: Float[np.ndarray, "*batch joint=17 3"]
) -> Float[np.ndarray, "*batch"]:
    """Mean per-joint position error of root-centred poses in mm: protocol 1 of Human3.6M, root included."""
    return mean(aligned_errors(predicted_mm, true_mm, "root"))


@_checked
def n_mpjpe(
    predicted_mm: Float[np.ndarray, "*batch joint=17 3"],
    true_mm: Float[np.ndarray, "*batch joint=17 3"],
    protocol: Protocol = "standard",
) -> Float[np.ndarray, "*batch"]:
    """Mean per-joint position error after scaling in mm; in the standard protocol the N-MPJPE of Rhodin et al."""
    return mean(aligned_errors(predicted_mm, true_mm, "scale", protocol))


@_checked
def pa_mpjpe(
    predicted_mm: Float[np.ndarray, "*batch joint=17 3"],
    true_mm: Float[np.ndarray, "*batch joint=17 3"],
    protocol: Protocol = "standard",
) -> Float[np.ndarray, "*batch"]:
    """Mean per-joint position error after a similarity in mm; the standard one is Human3.6M's protocol 2 (P-MPJPE)."""
    return mean(aligned_errors(predicted_mm, true_mm, "similarity", protocol))


@_checked
def pck(
    predicted_mm: Float[np.ndarray, "*batch joint=17 3"],
    true_mm: Float[np.ndarray, "*batch joint=17 3"],
    threshold_mm: float = PCK_THRESHOLD_MM,
    alignment: Alignment = "root",
) -> Float[np.ndarray, "*batch"]:
    """Percentage of joints within the threshold after the alignment: PCK of MPI-INF-3DHP, on its 14 joints.

    A joint that the truth has and the prediction lacks counts as outside.
    """
    return pck_curve(predicted_mm, true_mm, np.array([threshold_mm]), alignment)[..., 0]


@_checked
def auc(
    predicted_mm: Float[np.ndarray, "*batch joint=17 3"],
    true_mm: Float[np.ndarray, "*batch joint=17 3"],
    alignment: Alignment = "root",
) -> Float[np.ndarray, "*batch"]:
    """Area under the PCK curve in percent: the mean of `pck` over 31 thresholds from 0 to 150 mm."""
    known = countable(true_mm, alignment)
    return mean(auc_shares(aligned_errors(predicted_mm, true_mm, alignment), known))


@_checked
def pck_curve(
    predicted_mm: Float[np.ndarray, "*batch joint=17 3"],
    true_mm: Float[np.ndarray, "*batch joint=17 3"],
    thresholds_mm: Float[np.ndarray, " threshold"],
    alignment: Alignment = "root",
) -> Float[np.ndarray, "*batch threshold"]:
    """`pck` at each of the thresholds."""
    errors, known = aligned_errors(predicted_mm, true_mm, alignment), countable(true_mm, alignment)
    return np.stack([mean(within(errors, known, threshold)) for threshold in thresholds_mm], axis=-1)


@check_shapes()
def countable(
    true_mm: Float[np.ndarray, "*batch joint=17 3"], alignment: Alignment
) -> Bool[np.ndarray, "*batch joint=17"]:
    """Whether PCK and AUC count a joint: one of the 14 that the truth has."""
    known = np.empty(true_mm.shape[:-1], bool)
    kernels.known_joints(flat(true_mm), _COUNTED, alignment != "similarity", known.reshape(-1, len(JOINTS)))
    return known


@check_shapes()
def within(
    errors_mm: Float[np.ndarray, "*batch joint"], known: Bool[np.ndarray, "*batch joint"], threshold_mm: float
) -> Float[np.ndarray, "*batch joint"]:
    """100 if a joint's error is within the threshold, else 0; missing for joints that are not counted."""
    return _shares(errors_mm, known, threshold_mm, 1.0, 1)


@check_shapes()
def auc_shares(
    errors_mm: Float[np.ndarray, "*batch joint"], known: Bool[np.ndarray, "*batch joint"]
) -> Float[np.ndarray, "*batch joint"]:
    """Percentage of `AUC_THRESHOLDS_MM` that a joint's error is within; missing for joints that are not counted.

    The mean over the joints is the mean of PCK over the thresholds.
    """
    return _shares(errors_mm, known, AUC_THRESHOLDS_MM[0], AUC_THRESHOLDS_MM[1], len(AUC_THRESHOLDS_MM))


def _shares(
    errors_mm: Float[np.ndarray, "*batch joint"],
    known: Bool[np.ndarray, "*batch joint"],
    lowest_mm: float,
    step_mm: float,
    count: int,
) -> Float[np.ndarray, "*batch joint"]:
    shares = np.empty(errors_mm.shape)
    kernels.shares_within(errors_mm.ravel(), known.ravel(), lowest_mm, step_mm, count, shares.reshape(-1))
    return shares
