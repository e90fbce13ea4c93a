"""The metrics, batched, each with its protocol: 3D poses (..., joint, 3) in mm and a camera's frame, 2D in px.

NaN is a missing joint, which is left out of every mean unless a docstring says otherwise. Functions return a figure per
pose or per joint; the caller computes the mean. docs/metrics.md has every formula and its source.
"""

from pipeline.metrics.body import bone_errors, bone_lengths, symmetry_errors
from pipeline.metrics.catalogue import METRICS, PROTOCOLS, Metric, measure
from pipeline.metrics.image import (
    box_errors_percent,
    box_sides_px,
    head_lengths_px,
    oks,
    pckh,
    person_areas_px2,
    reprojection_errors,
    swaps_percent,
)
from pipeline.metrics.means import interval, interval_of_change, mean
from pipeline.metrics.motion import acceleration_errors, velocity_errors
from pipeline.metrics.poses import (
    AUC_THRESHOLDS_MM,
    JOINTS_14,
    JOINTS_16,
    PCK_JOINTS,
    PCK_THRESHOLD_MM,
    Alignment,
    Protocol,
    aligned_errors,
    auc,
    joint_errors,
    mpjpe,
    n_mpjpe,
    of_joints,
    pa_mpjpe,
    pck,
    pck_curve,
    root_centred,
    scale_aligned,
    similarity_aligned,
)

__all__ = [
    "AUC_THRESHOLDS_MM", "JOINTS_14", "JOINTS_16", "METRICS", "PCK_JOINTS", "PCK_THRESHOLD_MM", "PROTOCOLS",
    "Alignment", "Metric", "Protocol", "acceleration_errors", "aligned_errors", "auc", "bone_errors", "bone_lengths",
    "box_errors_percent", "box_sides_px", "head_lengths_px", "interval", "interval_of_change", "joint_errors", "mean",
    "measure", "mpjpe", "n_mpjpe", "of_joints", "oks", "pa_mpjpe", "pck", "pck_curve", "pckh",
    "person_areas_px2", "reprojection_errors", "root_centred", "scale_aligned", "similarity_aligned", "swaps_percent",
    "symmetry_errors", "velocity_errors",
]  # fmt: skip
