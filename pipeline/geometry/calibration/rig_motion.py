"""Detects camera motion in a rig that was assumed to be static."""

import numpy as np
from jaxtyping import Float

from pipeline.geometry.align import rotation_angle
from pipeline.geometry.calibration import bundle
from pipeline.geometry.calibration.calibrated_rig import Rig
from pipeline.geometry.calibration.focal_prior import EXACT
from pipeline.geometry.calibration.initial_rig import InitialRig
from pipeline.geometry.calibration.rig import (
    FRAMES_FOR_ADJUSTMENT,
    FRAMES_FOR_START,
    MIN_POSES,
)
from pipeline.geometry.calibration.rig_adjustment import adjust_rig
from pipeline.geometry.frame_sampling import diverse_frames, linspace_indices, nearest_exemplar
from pipeline.shapes import check_shapes

# Rotations above this many standard deviations count as camera motion.
SIGNIFICANT_STDS = 4.0


@check_shapes(no_inf=("points_norm",))
def rotation_change_deg(
    points_norm: Float[np.ndarray, "frame joint view 2"], sigma: Float[np.ndarray, "frame joint view"], rig: Rig
) -> float:
    """The largest rotation of a camera, in degrees, between the first and second half of the frames of a rig.

    0 if the rotation is not significant compared with the uncertainty of both halves. Image points and sigma are
    normalised with the given focal lengths. Raises ValueError for shapes that do not fit and infinite image points.
    """
    halves = []
    for half in np.array_split(linspace_indices(len(points_norm), FRAMES_FOR_ADJUSTMENT), 2):
        order, n_poses = diverse_frames(points_norm[half], sigma[half], FRAMES_FOR_START)
        if n_poses < MIN_POSES:
            return 0.0
        start = InitialRig(rig.R, rig.t, rig.focal_scale, rig.epipolar)
        examples = half[order[:n_poses]]
        pose = nearest_exemplar(points_norm[half], sigma[half], points_norm[examples], sigma[examples])
        halves.append(adjust_rig(points_norm[half], sigma[half], start, bundle.START_WIDTHS, focal=EXACT, pose=pose))
    a, b = halves
    b = b.in_world_of(a.R, a.t)
    rotation_deg = np.degrees(rotation_angle(b.R @ np.swapaxes(a.R, -1, -2)))
    significant = rotation_deg > SIGNIFICANT_STDS * np.hypot(a.rotation_std_deg, b.rotation_std_deg)
    return float(np.max(rotation_deg[significant], initial=0.0))
