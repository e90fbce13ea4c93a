"""All metrics of 3D poses at once, by name, for reports, tables and comparisons."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Real

from pipeline.metrics import kernels
from pipeline.metrics.body import bone_errors, symmetry_errors
from pipeline.metrics.motion import acceleration_errors, velocity_errors
from pipeline.metrics.poses import (
    PCK_THRESHOLD_MM,
    Alignment,
    Protocol,
    aligned_errors,
    auc_shares,
    countable,
    flat,
    within,
)
from pipeline.shapes import check_shapes

POSES_PER_CHUNK = 1024  # small enough that poses and intermediate results stay in a core's cache
ALIGNMENTS: Mapping[str, Alignment] = {"": "root", "n_": "scale", "pa_": "similarity"}


@dataclass(frozen=True)
class Metric:
    """Name, unit and meaning of a metric."""

    name: str
    title: str
    unit: str
    meaning: str
    higher_is_better: bool = False
    needs_scale: bool = True  # whether the metric needs poses of known scale
    protocols: tuple[Protocol, ...] = ("standard",)


def _aligned(prefix: str, title: str, after: str, protocols: tuple[Protocol, ...]) -> list[Metric]:
    scaled = prefix == ""
    return [
        Metric(f"{prefix}mpjpe_mm", f"{title}MPJPE", "mm", f"mean joint error, {after}", False, scaled, protocols),
        Metric(f"{prefix}pck150", f"{title}PCK@150", "%", f"joints within 150 mm, {after}", True, scaled, protocols),
        Metric(f"{prefix}auc", f"{title}AUC", "%", f"area under the PCK curve, {after}", True, scaled, protocols),
    ]


PROTOCOLS: tuple[Protocol, ...] = ("standard", "epipolarpose-2019")
METRICS = {metric.name: metric for metric in (
    *_aligned("", "", "root-centred", ("standard",)),
    *_aligned("n_", "N-", "root-centred and scaled", PROTOCOLS),
    *_aligned("pa_", "PA-", "aligned by a similarity", PROTOCOLS),
    Metric("bone_mm", "bone length error", "mm", "mean difference of bone lengths from the truth's"),
    Metric("symmetry_mm", "asymmetry", "mm", "mean difference of left and right bone lengths of a pose"),
    Metric("velocity_mm_s", "velocity error (MPJVE)", "mm/s", "mean error of joint velocities, root-centred"),
    Metric("acceleration_mm_s2", "acceleration error", "mm/s²", "mean error of joint accelerations, root-centred"),
)}  # fmt: skip


@check_shapes()
def measure(
    predicted_mm: Float[np.ndarray, "frame joint=17 3"],
    true_mm: Float[np.ndarray, "frame joint=17 3"],
    times_s: Real[np.ndarray, " frame"],
    protocol: Protocol = "standard",
) -> dict[str, Float[np.ndarray, "frame joint=17"]]:
    """Compute all `METRICS` for each joint of a sequence of poses at the given times.

    NaN where a metric does not apply to a joint. The mean over the joints is the figure of a pose, the mean over the
    frames the figure of a joint. Raises ValueError for other skeletons or lengths, for joints that are infinite or half
    missing, and for times that do not increase.
    """
    chunks = [slice(start, start + POSES_PER_CHUNK) for start in range(0, len(times_s), POSES_PER_CHUNK)]
    unfit = [sum(kernels.unfit_joints(flat(poses[chunk])) for chunk in chunks) for poses in (predicted_mm, true_mm)]
    if any(unfit):
        what = f"{unfit[0]} predicted and {unfit[1]} true joints are infinite or half missing"
        raise ValueError(f"{what}; a joint that is missing is all NaN.")
    found = {name: np.empty(true_mm.shape[:2]) for name in METRICS}
    for own in chunks:
        seen = slice(own.start, own.stop + 2)  # accelerations look two frames ahead
        for name, values in _measure(predicted_mm[seen], true_mm[seen], times_s[seen], protocol).items():
            found[name][own] = values[:POSES_PER_CHUNK]
    return found


def _measure(
    predicted_mm: Float[np.ndarray, "frame joint 3"],
    true_mm: Float[np.ndarray, "frame joint 3"],
    times_s: Real[np.ndarray, " frame"],
    protocol: Protocol,
) -> dict[str, Float[np.ndarray, "frame joint"]]:
    found = {}
    for prefix, alignment in ALIGNMENTS.items():
        errors = aligned_errors(predicted_mm, true_mm, alignment, protocol)
        known = countable(true_mm, alignment)
        found[f"{prefix}mpjpe_mm"] = errors
        found[f"{prefix}pck150"] = within(errors, known, PCK_THRESHOLD_MM)
        found[f"{prefix}auc"] = auc_shares(errors, known)
    found["bone_mm"] = bone_errors(predicted_mm, true_mm)
    found["symmetry_mm"] = symmetry_errors(predicted_mm)
    found["velocity_mm_s"] = velocity_errors(predicted_mm, true_mm, times_s)
    found["acceleration_mm_s2"] = acceleration_errors(predicted_mm, true_mm, times_s)
    return found
