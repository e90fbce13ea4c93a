"""Errors in the image: of detections (..., joint, 2) and of projected poses, in px and as shares of the person."""

import numpy as np
from jaxtyping import Float

from pipeline.geometry.camera.model import Camera
from pipeline.metrics.poses import JOINTS_16, joint_errors
from pipeline.shapes import check_shapes
from pipeline.skeleton import JOINTS, LEFT_JOINTS, LIMB_JOINTS, MIRROR, joint

# Left and right joints closer than this share of the box are not distinguishable, so their swaps are not counted.
SWAP_SEPARATION = 0.05
# MPII's evaluation leaves pelvis and thorax out of the mean.
PCKH_JOINTS = np.array([j for j in JOINTS_16 if JOINTS[j] not in ("pelvis", "thorax")])
PCKH_SHARE = 0.5
# COCO's standard deviation of annotators by joint, as a share of the root of the person's area; COCO has only these
# joints.
COCO_SIGMAS = {
    "shoulder": 0.079, "elbow": 0.072, "wrist": 0.062, "hip": 0.107, "knee": 0.087, "ankle": 0.089,
}  # fmt: skip
# Mean share of a person's box that COCO's outline of the person covers.
OUTLINE_SHARE = 0.53


@check_shapes()
def reprojection_errors(
    poses_cam_mm: Float[np.ndarray, "*batch joint=17 3"],
    observed_px: Float[np.ndarray, "*batch joint=17 2"],
    camera: Camera,
) -> Float[np.ndarray, "*batch joint=17"]:
    """Distance in px of each observed joint from the projected joint of the pose, lens distortion included."""
    return joint_errors(camera.project_cam(poses_cam_mm), observed_px)


@check_shapes()
def box_sides_px(true_px: Float[np.ndarray, "*batch joint=17 2"]) -> Float[np.ndarray, "*batch"]:
    """Longer side of the upright box around a pose's true joints."""
    return np.asarray(_box_px(true_px).max(-1))


@check_shapes()
def box_errors_percent(
    predicted_px: Float[np.ndarray, "*batch joint=17 2"], true_px: Float[np.ndarray, "*batch joint=17 2"]
) -> Float[np.ndarray, "*batch joint=17"]:
    """Distance of each joint from the truth as a percentage of `box_sides_px`."""
    return 100 * joint_errors(predicted_px, true_px) / box_sides_px(true_px)[..., None]


@check_shapes()
def head_lengths_px(true_px: Float[np.ndarray, "*batch joint=17 2"]) -> Float[np.ndarray, "*batch"]:
    """Distance from the neck to the top of the head, which replaces MPII's annotated head box."""
    return joint_errors(true_px[..., joint("neck"), :], true_px[..., joint("head"), :])


@check_shapes()
def pckh(
    predicted_px: Float[np.ndarray, "*batch joint=17 2"],
    true_px: Float[np.ndarray, "*batch joint=17 2"],
    head_px: Float[np.ndarray, "*batch"],
) -> Float[np.ndarray, "*batch joint=17"]:
    """100 where a joint lies within half the head's length of the truth, else 0: PCKh@0.5.

    Andriluka et al., 2D Human Pose Estimation: New Benchmark, CVPR 2014. Joints that are not in MPII's evaluation
    are missing. A joint that the truth has and the prediction lacks counts as outside.
    """
    counts = np.isin(np.arange(len(JOINTS)), PCKH_JOINTS) & np.isfinite(true_px).all(-1) & (head_px > 0)[..., None]
    near = joint_errors(predicted_px, true_px) <= PCKH_SHARE * head_px[..., None]
    return np.where(counts, 100.0 * near, np.nan)


@check_shapes()
def person_areas_px2(true_px: Float[np.ndarray, "*batch joint=17 2"]) -> Float[np.ndarray, "*batch"]:
    """Area of the person: 0.53 of the upright box around the true joints, which replaces an annotated outline."""
    return np.asarray(OUTLINE_SHARE * np.prod(_box_px(true_px), axis=-1))


@check_shapes()
def oks(
    predicted_px: Float[np.ndarray, "*batch joint=17 2"],
    true_px: Float[np.ndarray, "*batch joint=17 2"],
    area_px2: Float[np.ndarray, "*batch"],
) -> Float[np.ndarray, "*batch joint=17"]:
    """Object keypoint similarity in percent, for given areas of persons; the mean over the joints is COCO's OKS.

    Joints other than the twelve limb joints, which COCO has too, are missing. A joint that the truth has and the
    prediction lacks counts as 0.
    """
    sigma = np.array([COCO_SIGMAS.get(name.partition("_")[2], np.nan) for name in JOINTS])
    counts = np.isin(np.arange(len(JOINTS)), LIMB_JOINTS) & np.isfinite(true_px).all(-1) & (area_px2 > 0)[..., None]
    share = joint_errors(predicted_px, true_px) ** 2 / (8 * sigma**2 * np.where(area_px2 > 0, area_px2, 1)[..., None])
    return np.where(counts, 100 * np.exp(-np.nan_to_num(share, nan=np.inf)), np.nan)


@check_shapes()
def swaps_percent(
    predicted_px: Float[np.ndarray, "*batch joint=17 2"], true_px: Float[np.ndarray, "*batch joint=17 2"]
) -> Float[np.ndarray, "*batch pair=6"]:
    """100 where a pair of left and right joints fits the truth better after a swap, else 0.

    Pairs that lie closer than 5 % of the box in the image, or lack a joint, are missing.
    """
    right = MIRROR[LEFT_JOINTS]
    as_named = joint_errors(predicted_px, true_px)
    swapped = joint_errors(predicted_px[..., MIRROR, :], true_px)
    swapped = _pair_sum(swapped, right) < _pair_sum(as_named, right)
    apart = joint_errors(true_px[..., LEFT_JOINTS, :], true_px[..., right, :])
    counts = (apart >= SWAP_SEPARATION * box_sides_px(true_px)[..., None]) & np.isfinite(_pair_sum(as_named, right))
    return np.where(counts, 100.0 * swapped, np.nan)


def _box_px(true_px: np.ndarray) -> np.ndarray:
    """Width and height of the upright box around a pose's joints (..., joint, 2), (..., 2)."""
    known = np.isfinite(true_px).all(-1, keepdims=True)
    low, high = (np.where(known, true_px, fill) for fill in (np.inf, -np.inf))
    return np.where(known.any((-1, -2))[..., None], high.max(-2), np.nan) - low.min(-2)


def _pair_sum(errors: np.ndarray, right: np.ndarray) -> np.ndarray:
    return errors[..., LEFT_JOINTS] + errors[..., right]
